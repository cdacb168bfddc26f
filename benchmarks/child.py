"""Programs that a benchmark starts."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from digits.core.errors import UserError, one_line


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Runs a program in a folder and returns what it prints.

    Args:
        command: the program and its arguments.
        folder: where.
        environment: its variables; by default those of this process.

    Raises:
        UserError: it fails; with the last line of its errors.
    """
    environment = os.environ if environment is None else environment
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        *_, reason = ["no message", *done.stderr.splitlines()]
        raise UserError(f"`{' '.join(command)}` in {folder} failed with status {done.returncode}: {one_line(reason)}")
    return done.stdout

"""Installs lock files into the environment whose Python runs it: `make` does.

    .venv/bin/python -m tools.install requirements.lock

uv takes less than half of pip's time. Where it cannot be had, or fails, pip installs the same files. A lock file names
everything that it needs, so nothing is resolved here.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

INSTALLER = "requirements-uv.lock"
REPLACED = {"requirements-gpu.lock": "tensorflow-cpu"}  # its files are also those of the package that the lock names
# Bytecode is compiled here, whatever PYTHONDONTWRITEBYTECODE says: without it each start of TensorFlow takes seconds.
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--compile"]
CHECKED = ["--no-deps", "--require-hashes"]


def main() -> None:
    """Installs the files that are named."""
    for name in REPLACED.keys() & set(sys.argv[1:]):
        failure_of([sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", REPLACED[name]], dict(os.environ))
    files = [part for name in sys.argv[1:] for part in ("--requirement", name)]
    if failure := with_uv(files):
        print(f"uv cannot install here ({failure}): pip does, which takes longer", file=sys.stderr)
        if failure := with_pip(files):
            sys.exit(f"{' '.join(sys.argv[1:])}: {failure}; check the network, or name your index in PIP_INDEX_URL")


def with_uv(files: Iterable[str]) -> str:
    """Installs by uv, after uv itself; returns what went wrong, in one line."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists() and (failure := with_pip(["--requirement", INSTALLER])):
        return failure
    command = [str(uv), "pip", "install", "--quiet", "--compile-bytecode", "--system-certs", "--python", sys.executable]
    return failure_of([*command, *CHECKED, *files], environment())


def with_pip(files: Iterable[str]) -> str:
    """Installs by pip; returns what went wrong, in one line."""
    return failure_of([*PIP, *CHECKED, *files], dict(os.environ))


def environment() -> dict[str, str]:
    """The environment for uv, which reads no settings of pip: it gets pip's index."""
    given = {"UV_COMPILE_BYTECODE_TIMEOUT": "600", **os.environ}
    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(given) and (index := pip_index()):
        given["UV_DEFAULT_INDEX"] = index
    return given


def pip_index() -> str | None:
    """The index that pip is set up to ask, where that is not the default one."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(command, check=False, capture_output=True, text=True).stdout  # noqa: S603
    for section in (":env:", "install", "global"):  # pip's order
        if found := re.search(rf"^{section}\.index-url='(.+)'$", settings, re.MULTILINE):
            return found[1]
    return None


def failure_of(command: list[str], environment: dict[str, str]) -> str:
    """Runs a command; returns the most telling line of what it said when it failed."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    if not done.returncode:
        return ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or [f"status {done.returncode}"]
    return next((line for line in lines if line.lower().startswith("error")), lines[-1])[:200]


if __name__ == "__main__":
    main()

"""Resolves `pyproject.toml` into the lock files: `make lock`, or `make lock UPGRADE=1` for the newest releases.

All groups are resolved together, so that a package has one version in all files. `requirements.lock` has what the
stages need; each other file has only what comes on top of it. No file names an index: each machine asks its own.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from digits.core import files
from digits.core.errors import UserError, run

BASE = "requirements.lock"
EXTRAS = ("apps", "view", "search", "s3", "ssh", "gs", "azure", "gpu")
ON_TOP = {f"requirements-{extra}.lock": ["--extra", extra] for extra in EXTRAS}
ON_TOP["requirements-dev.lock"] = ["--group", "dev"]
INSTALLER = "requirements-uv.lock"
PROJECT = "pyproject.toml"
OPTIONS = ["--universal", "--python-version", "3.11", "--fork-strategy", "fewest", "--generate-hashes"]

Blocks = dict[str, str]  # a requirement, as `name==version ; marker` -> its lines, with the hashes


def main() -> None:
    """Writes all lock files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="take the newest releases, not the locked ones")
    options = ["--upgrade"] if parser.parse_args().upgrade else []
    known = {} if options else locked()
    together = resolve([PROJECT, "--all-extras", "--group", "dev", *options], known)
    base = resolve([PROJECT], together)
    locks = {BASE: base}
    for name, group in ON_TOP.items():
        locks[name] = on_top(resolve([PROJECT, *group], together), base)
    locks[INSTALLER] = resolve(["--group", "install", *options], known)
    for name, content in locks.items():  # not before all are there: they belong together
        files.write_text(Path(name), "\n".join(content.values()) + "\n")


def locked() -> Blocks:
    """What the lock files have now."""
    there = [path for name in (BASE, *ON_TOP, INSTALLER) if (path := Path(name)).exists()]
    return {key: lines for path in there for key, lines in blocks(path.read_text(encoding="utf-8")).items()}


def blocks(text: str) -> Blocks:
    """The requirements of a lock file."""
    parts = re.split(r"\n(?=\S)", text.strip())
    return {part.partition("\n")[0].removesuffix("\\").strip(): part for part in parts if part}


def resolve(wanted: Iterable[str], preferred: Mapping[str, str]) -> Blocks:
    """What uv finds for `wanted`, in the preferred versions where these fit."""
    uv = shutil.which("uv", path=Path(sys.executable).parent) or shutil.which("uv")
    if not uv:
        raise UserError(f"no uv in this environment: `pip install --require-hashes -r {INSTALLER}`")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, BASE)
        result.write_text("\n".join(preferred.values()), encoding="utf-8")
        command = [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--system-certs", *OPTIONS]
        done = subprocess.run([*command, *wanted, "--output-file", result], check=False, capture_output=True, text=True)  # noqa: S603
        if done.returncode:
            raise UserError(f"uv finds no versions for {' '.join(wanted)}: {' '.join(done.stderr.split())[:400]}")
        return blocks(result.read_text(encoding="utf-8"))


def on_top(wanted: Blocks, base: Blocks) -> Blocks:
    """What the base does not have, or only for other systems."""
    return {key: lines for key, lines in wanted.items() if not {key, key.partition(" ;")[0]} & set(base)}


if __name__ == "__main__":
    run(main)

"""Builds the pipeline twice from nothing and compares what it made, byte for byte: `make verify`.

    python -m tools.rebuild_twice --set dataset=digits recipe=embedded

Each build has a folder, a DVC cache, a time zone, a locale and a seed of Python's hashes of its own, and takes nothing
from earlier runs. If a file differs, the first stage that wrote such a file is named, and both folders stay.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dvc.config import Config

from digits.core.errors import UserError, run
from tools import comparison, fresh

FOLDER = Path("runs/verify")
LOCK = Path("dvc.lock")
# Folder -> what is different there.
PLACES = {
    "first": {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    "zweiter Ordner ä/second": {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
}


def main() -> None:
    """Builds in both places and says whether they agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="parameters that differ")
    settings = parser.parse_args().set
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, different in PLACES.items():
        print(f"{name}: {' '.join(f'{key}={value}' for key, value in different.items())}", flush=True)
        build(FOLDER / name, settings, different)
    first, second = (FOLDER / name for name in PLACES)
    if found := difference(first, second):
        raise UserError(f"{found} between two builds of the same sources: compare {first} and {second}")
    outs = [out for _, entry in stages(first) for out in entry["outs"]]
    print(f"both builds made the same bytes: {sum(out.get('nfiles', 1) for out in outs)} files of {len(outs)} outputs")
    shutil.rmtree(FOLDER)


def build(folder: Path, settings: Sequence[str], different: Mapping[str, str]) -> None:
    """Runs the whole pipeline in a new project with a cache of its own."""
    comparison.prepare(folder, settings)
    (folder / LOCK).unlink(missing_ok=True)
    shutil.rmtree(folder / "compare", ignore_errors=True)
    with Config(dvc_dir=os.fspath((folder / ".dvc").resolve())).edit("local") as config:
        config["cache"]["dir"] = os.fspath((folder / ".dvc/cache").resolve())
        config["core"]["site_cache_dir"] = os.fspath((folder / ".dvc/site-cache").resolve())
    command = [sys.executable, "-m", "dvc", "repro", "--force", "--no-run-cache"]
    if status := subprocess.run(command, check=False, cwd=folder, env={**os.environ, **different}).returncode:  # noqa: S603
        sys.exit(status)


def stages(folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields the entries of a project's lock in the order in which the stages ran."""
    yield from fresh.lock(folder / LOCK).items()


def difference(first: Path, second: Path) -> str | None:
    """Returns the first stage whose outputs differ between two projects, with the files; None if none does."""
    for (stage, one), (_, other) in zip(stages(first), stages(second), strict=True):
        differing = [out["path"] for out, copy in zip(one["outs"], other["outs"], strict=True) if out != copy]
        if differing:
            found = [name for path in differing for name in files(first, second, path)] or differing
            return f"{stage}: {', '.join(found[:5])}{', ...' if len(found) > 5 else ''} differ{'s' * (len(found) == 1)}"
    return None


def files(first: Path, second: Path, path: str) -> Iterator[str]:
    """Yields the files of an output, which may be a folder, that differ or are in one project only."""
    found = {
        file.relative_to(folder)
        for folder in (first, second)
        for file in [folder / path, *(folder / path).rglob("*")]
        if file.is_file()
    }
    for name in sorted(found):
        if content(first / name) != content(second / name):
            yield name.as_posix()


def content(path: Path) -> bytes | None:
    """Returns the bytes of a file, None if there is none."""
    return path.read_bytes() if path.is_file() else None


if __name__ == "__main__":
    run(main)

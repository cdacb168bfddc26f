"""Tells where a model file comes from: commit, data, parameters, versions, class of the processor.

    python -m tools.provenance models/model.tflite

All but the commit stands in the file itself. The commit is the first whose `dvc.lock` lists the file by its MD5; an
output cannot hold it, because then it would change with every commit.
"""

import argparse
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from digits.core import files
from digits.core.errors import UserError, one_line, run
from digits.models import provenance
from tools.checksums import md5

LOCK = "dvc.lock"
DATA = ("data/raw", "data/tfrecords")


def main() -> None:
    """Prints a line for each fact, the parameters last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a .keras, .tflite or .onnx file, or the folder of a SavedModel")
    model = parser.parse_args().model
    record = provenance.read(model)
    print(f"{'sha256':14}{files.sha256(model)}")
    for name, text in (*origin(model), *facts(record)):
        print(f"{name:14}{text}")
    for name, value in record.get("parameters", {}).items():
        print(f"  {name}: {json.dumps(value)}")


def facts(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields what a record says besides the parameters, as name and text."""
    for name, value in record.items():
        if name != "parameters":
            entries = value.items() if isinstance(value, dict) else ()
            yield name, ", ".join(f"{key} {entry}" for key, entry in entries) if entries else str(value)


def origin(model: Path) -> Iterator[tuple[str, str]]:
    """Yields the commit that made a model, and its data, by the history of `dvc.lock` in the current folder."""
    checksum = md5(model)
    if not shutil.which("git"):
        yield "commit", "unknown: git, which knows the commits, is not installed"
        return
    if commit := first_commit(checksum):
        yield "commit", git("show", "--no-patch", "--format=%H of %cs: %s", commit) or commit
        lock = git("show", f"{commit}:./{LOCK}") or ""
    elif checksum in (lock := Path(LOCK).read_text(encoding="utf-8") if Path(LOCK).is_file() else ""):
        yield "commit", f"none yet: {LOCK} here lists it, and is not committed"
    else:
        yield "commit", f"unknown: no {LOCK} in the history of this folder lists it (md5 {checksum})"
        return
    yield from ((path, f"md5 {checksum}") for path, checksum in outputs(lock) if path in DATA)


def outputs(lock: str) -> list[tuple[str, str]]:
    """Returns the path and checksum of each output in the text of a `dvc.lock`.

    Raises:
        UserError: it is none.
    """
    try:
        stages = YAML(typ="safe").load(lock)["stages"].values()
        return [(out["path"], out["md5"]) for stage in stages for out in stage.get("outs", ()) if "md5" in out]
    except Exception as error:  # ruamel.yaml's, and those of content that is no lock
        raise UserError(f"{LOCK}: damaged ({one_line(error)}); restore it with git") from error


def first_commit(checksum: str) -> str | None:
    """Returns the oldest commit, of any branch or experiment, whose `dvc.lock` has a checksum; None if none has."""
    changes = git("log", "--all", "--reverse", "--format=%H", f"-S{checksum}", "--", LOCK) or ""
    return next((commit for commit in changes.split() if checksum in (git("show", f"{commit}:./{LOCK}") or "")), None)


def git(*arguments: str) -> str | None:
    """Returns what git prints; None where it fails, in a folder without a repository for example."""
    done = subprocess.run(["git", *arguments], check=False, capture_output=True, text=True)  # noqa: S603, S607
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    run(main)

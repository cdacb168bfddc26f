"""Runs the pipeline with other parameters in a copy of the project, and shows the results in `runs/`.

    python -m tools.experiment embedded --set dataset=digits --keep plots metrics models

`make run` is this. Nothing in the work tree changes: DVC keeps the run as an
experiment of that name, which replaces an earlier one.
"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dvc.repo import Repo
from dvc.repo.experiments.exceptions import UnresolvedExpNamesError

from digits.core.errors import UserError, run
from digits.evaluation import summary_text
from tools import configure_dvc, mend, unicode_dvc

KEPT = ("metrics", "models", "plots")  # by `make run`


def main() -> None:
    """Runs the experiment, keeps its results and says where they are."""
    arguments = parser().parse_args()
    mend.main()
    folder = Path("runs", arguments.name)
    check_folder(folder, arguments.keep)
    check_repository()
    configure_dvc.main()  # the folder may have been moved, or have become a repository, since it was set up
    remove(arguments.name)
    start(arguments.name, arguments.set)
    keep(arguments.name, arguments.keep, folder)
    print(report(folder, arguments.name))


def parser() -> argparse.ArgumentParser:
    """Describes the command line."""
    described = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    described.add_argument("name", help="of the experiment, and of its folder in runs/")
    described.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="parameters that differ")
    described.add_argument("--keep", nargs="+", required=True, metavar="PATH", help="outputs to put into the folder")
    return described


def check_folder(folder: Path, outputs: Sequence[str]) -> None:
    """Checks that a folder holds nothing but outputs that were kept before, because it is emptied.

    Raises:
        UserError: it holds something else, such as the comparison.
    """
    known = {*KEPT, *(Path(output).name for output in outputs)}
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if other := [name for name in names if name not in known and name != ".DS_Store"]:  # macOS' own
        raise UserError(f"{folder} holds something else ({other[0]}) and would be emptied: take another name")


def check_repository() -> None:
    """Refuses a folder whose files are in no commit, beside which DVC keeps an experiment, or whose name git loses."""
    if "\n" in str(Path.cwd()):
        raise UserError("the name of this folder has a line break, which git cannot copy from: rename it")
    command = ["git", "cat-file", "-e", "HEAD:./dvc.yaml"]
    asked = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if "dubious ownership" in asked.stderr:
        raise UserError(f"git refuses a folder of another user: git config --global --add safe.directory {Path.cwd()}")
    if asked.returncode:
        raise UserError(
            f"{Path.cwd()} is not committed to git, and DVC keeps an experiment beside a commit: clone the project, or "
            "`git init && git add --all && git commit -m start`; `make repro` needs no git"
        )


def remove(name: str) -> None:
    """Removes the experiment of that name, where there is one."""
    with Repo() as repo, contextlib.suppress(UnresolvedExpNamesError):
        repo.experiments.remove(exp_names=[name])


def start(name: str, settings: Sequence[str]) -> None:
    """Runs the pipeline in a copy; DVC says what it does."""
    options = [part for setting in settings for part in ("--set-param", setting)]
    with mend.keeping_git():
        status = unicode_dvc.run("exp", "run", "--temp", "--name", name, *options)
    if status:
        sys.exit(status)


def keep(name: str, outputs: Sequence[str], folder: Path) -> None:
    """Puts the outputs into the folder, without what an earlier run left there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for output in outputs:
        if status := unicode_dvc.run(
            "get", "--quiet", ".", output, "--rev", name, "--out", str(folder / Path(output).name)
        ):
            sys.exit(status)


def report(folder: Path, name: str) -> str:
    """The test figures, where there are any, and the way to everything."""
    metrics = folder / "metrics/test.json"
    figures = [summary_text.table(json.loads(metrics.read_text(encoding="utf-8")))] if metrics.exists() else []
    places = "   ".join(f"{path.stem.lower()}: {path}" for path in sorted(folder.iterdir()))
    return "\n".join([*figures, f"{places}   undo: .venv/bin/dvc exp remove {name}"])


if __name__ == "__main__":
    run(main)

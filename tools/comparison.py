"""Runs the comparison of `compare/pipeline.yaml` in a DVC project of its own: `make compare`.

    python -m tools.comparison                              # in runs/compare; the report and its lock go to compare/
    python -m tools.comparison digits --set dataset=digits  # in runs/compare-digits, and stays there

DVC reads every `dvc.yaml` in a project for every command. In the project itself the comparison would be part of `dvc
metrics`, `plots`, `dag`, `pull` and `status`, and would slow them down. So the sources are copied into a folder, where
the file has that name; the cache is shared. For all that DVC can tell about the comparison, run it in that folder.
"""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from dvc.config import Config
from dvc.exceptions import DvcException
from dvc.utils.hydra import apply_overrides

from digits.core import files, paths
from digits.core.errors import UserError, one_line, run
from tools import mend, unicode_dvc

SOURCES = ("*.py", "*.yaml", "*.lock")  # in compare/, beside outputs
FOLDERS = ("benchmarks", "digits", "drawings", "stages")
PIPELINE, LOCK = "compare/pipeline.yaml", "compare/pipeline.lock"
NAMES = {PIPELINE: "compare/dvc.yaml", LOCK: "compare/dvc.lock"}  # as DVC wants them
RESULTS = ("compare/REPORT.md", "compare/metrics.json", "compare/plots", LOCK)


def main() -> None:
    """Prepares the project, runs it, and keeps its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="of another comparison than the committed one")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="parameters that differ")
    parser.add_argument("--pull", action="store_true", help="take from the storage what it has (docs/storage.md)")
    arguments = parser.parse_args()
    folder = Path("runs", f"compare-{arguments.name}" if arguments.name else "compare")
    mend.main()
    prepare(folder, arguments.set)
    with contextlib.chdir(folder):
        status = unicode_dvc.run("repro", NAMES[PIPELINE], *(["--pull"] if arguments.pull else []))
    if status:
        sys.exit(status)
    if not arguments.name:
        keep(folder)
    place = folder if arguments.name else Path()
    print(f"report: {place / RESULTS[0]}   DVC's project: {folder}")


def prepare(folder: Path, settings: Sequence[str]) -> None:
    """Copies sources, parameters and locks into the project; its outputs and checkpoints stay as they are.

    Args:
        folder: of the project, new or of an earlier run.
        settings: as for `dvc exp run --set-param`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for pattern in SOURCES:
        for old in (folder / "compare").glob(pattern):
            old.unlink()
    sources = [path.as_posix() for pattern in SOURCES for path in Path("compare").glob(pattern)]
    for name in ("dvc.yaml", "dvc.lock", ".dvcignore", str(paths.PARAMS), *sources):
        target = folder / NAMES.get(name, name)
        target.unlink(missing_ok=True)
        if Path(name).exists():
            target.parent.mkdir(exist_ok=True)
            shutil.copy2(name, target)
    configure(folder)
    if settings:
        try:
            apply_overrides(folder / paths.PARAMS, list(settings))
        except DvcException as error:
            raise UserError(f"--set {' '.join(settings)}: {one_line(error.__cause__ or error)}") from None


def configure(folder: Path) -> None:
    """Makes it a DVC project without git, with the remotes, the cache and the private site cache of this one."""
    inner, root = folder / ".dvc", Path.cwd()
    inner.mkdir(exist_ok=True)
    for name in ("config", "config.local"):
        if (root / ".dvc" / name).exists():
            shutil.copy2(root / ".dvc" / name, inner / name)
    own = Config(dvc_dir=os.fspath(root / ".dvc")).read()  # a path that is relative to its file comes absolute
    with Config(dvc_dir=os.fspath(inner.resolve())).edit("local") as settings:
        settings["core"]["no_scm"] = True
        settings["remote"] = own["remote"]
        settings["cache"] = {"dir": str(root / ".dvc/cache"), **own["cache"]}


def keep(folder: Path) -> None:
    """Brings report, metrics, pictures and lock into `compare/`, where they are committed."""
    for name in RESULTS:
        source = folder / NAMES.get(name, name)
        with files.replacing(Path(name)) as partial:
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, partial)


if __name__ == "__main__":
    run(main)

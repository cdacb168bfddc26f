"""Builds the pipeline twice from nothing and compares what it made, byte for byte: `make verify`.

    python -m tools.rebuild_twice --set dataset=digits recipe=embedded

Each build has a folder, a DVC cache, a time zone, a locale and a seed of Python's hashes of its own, and takes nothing
from earlier runs. The second one has another home, with other settings of Keras and matplotlib, and one core, which it
shares with a busy process. If a file differs, the first stage that wrote such a file is named, and both folders stay.

Then the bytes are compared with the golden hashes of the same run (`tools/golden.py`). These are recorded by

    python -m tools.rebuild_twice --record --set dataset=digits recipe=embedded

which builds once, and takes over what `dvc.lock` lists for the run in this project, without running that again.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dvc.config import Config

from digits.core.errors import UserError, run
from tools import comparison, configure_dvc, golden

FOLDER = Path("runs/verify")
# What a user may have set for all his programs: the pipeline must not heed it.
HOME = {
    ".keras/keras.json": '{"floatx": "float64", "image_data_format": "channels_first", "backend": "jax"}',
    ".config/matplotlib/matplotlibrc": "savefig.dpi: 40\nfont.size: 20\nimage.cmap: magma\n",
}
# Runs until its parent ends, at a lower priority: the build is disturbed, and does not take twice as long.
BUSY = "import os, sys; os.nice(5)\nwhile os.getppid() == int(sys.argv[1]): pass"


@dataclass(frozen=True)
class Conditions:
    """What is different while a build runs.

    Attributes:
        environment: variables of the environment.
        home: whether it has a home of its own, with the settings of `HOME`.
        cores: how many it may use, where the system can limit them; None for all.
        load: whether a busy process runs beside it, on the same cores.
    """

    environment: Mapping[str, str]
    home: bool = False
    cores: int | None = None
    load: bool = False

    def __str__(self) -> str:
        return ", ".join(
            [
                " ".join(f"{key}={value}" for key, value in self.environment.items()),
                *["another home"] * self.home,
                "all cores" if self.cores is None else f"cores: {self.cores}",
                *["a busy process beside it"] * self.load,
            ]
        )


PLACES = {  # folder -> what is different there
    "first": Conditions({"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}),
    "zweiter Ordner ä/second": Conditions(
        {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "2"}, home=True, cores=1, load=True
    ),
}


def main() -> None:
    """Builds in both places and says whether they agree, with each other and with the golden hashes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="parameters that differ")
    parser.add_argument("--record", action="store_true", help="write the golden hashes instead of comparing")
    arguments = parser.parse_args()
    configure_dvc.check()
    shutil.rmtree(FOLDER, ignore_errors=True)
    if arguments.record:
        record(arguments.set)
    else:
        verify(arguments.set)
    shutil.rmtree(FOLDER, ignore_errors=True)


def verify(settings: Sequence[str]) -> None:
    """Builds twice and compares.

    Raises:
        UserError: the builds differ, or agree and are not the golden one of the same sources and kind of machine.
    """
    for name, conditions in PLACES.items():
        print(f"{name}: {conditions}", flush=True)
        build(FOLDER / name, settings, conditions)
    first, second = (FOLDER / name for name in PLACES)
    one, other = golden.hashes(first), golden.hashes(second)
    if found := golden.difference(one, other):
        raise UserError(f"{found} between two builds of the same sources: compare {first} and {second}")
    print(f"both builds made the same bytes: {sum(map(len, one.values()))} files of {len(one)} stages")
    made = golden.describe(first, settings)
    print(f"class of processor: {made.platform}")
    print(golden.compare(made))


def record(settings: Sequence[str]) -> None:
    """Writes the golden hashes of the run in this project and, with settings, of a build with these."""
    runs = [golden.describe(Path(), [])]
    if settings:
        name, conditions = next(iter(PLACES.items()))
        build(FOLDER / name, settings, conditions)
        runs.append(golden.describe(FOLDER / name, settings))
    golden.record(runs)
    for made in runs:
        print(f"recorded {' '.join(made.settings) or golden.LOCK}: {made.platform}")


def build(folder: Path, settings: Sequence[str], conditions: Conditions) -> None:
    """Runs the whole pipeline in a new project with a cache of its own."""
    comparison.prepare(folder, settings)
    (folder / golden.LOCK).unlink(missing_ok=True)
    shutil.rmtree(folder / "compare", ignore_errors=True)
    with Config(dvc_dir=os.fspath((folder / ".dvc").resolve())).edit("local") as config:
        config["cache"]["dir"] = os.fspath((folder / ".dvc/cache").resolve())
        config["core"]["site_cache_dir"] = os.fspath((folder / ".dvc/site-cache").resolve())
    command = [sys.executable, "-m", "dvc", "repro", "--force", "--no-run-cache"]
    environment = {**os.environ, **conditions.environment, **(home(FOLDER / "home") if conditions.home else {})}
    with limited_cores(conditions.cores), busy(conditions.load):
        status = subprocess.run(command, check=False, cwd=folder, env=environment).returncode  # noqa: S603
    if status:
        sys.exit(status)


def home(folder: Path) -> dict[str, str]:
    """Makes a home with settings of its own and returns the variables that lead there."""
    for name, text in HOME.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    absolute = folder.resolve()
    return {
        "HOME": str(absolute),
        "XDG_CONFIG_HOME": str(absolute / ".config"),
        "XDG_CACHE_HOME": str(absolute / ".cache"),
    }


@contextmanager
def limited_cores(number: int | None) -> Iterator[None]:
    """Limits what this thread starts to the first cores that it may use; all of them for None."""
    if number is None or not hasattr(os, "sched_setaffinity"):  # macOS has none
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def busy(wanted: bool) -> Iterator[None]:
    """Keeps a process busy meanwhile, on the cores of this thread."""
    if not wanted:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", BUSY, str(os.getpid())]) as process:  # noqa: S603
        try:
            yield
        finally:
            process.kill()


if __name__ == "__main__":
    run(main)

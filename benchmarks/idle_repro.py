"""`dvc repro` with nothing to do, here and in an empty project of as many stages.

    python -m benchmarks.idle_repro

The pipeline must be up to date. Writes `benchmarks/results/idle_repro.json`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks import child, machine, timing
from digits.core import errors, files
from digits.core.errors import UserError

RESULTS = Path("benchmarks/results/idle_repro.json")
DVC = [sys.executable, "-m", "dvc"]


def main() -> None:
    """Runs both alternately and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=timing.count, default=7, help="runs of each")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder)
        stages = len(YAML(typ="safe").load(Path("dvc.yaml"))["stages"])
        make_empty_project(empty, stages)
        for place in (Path.cwd(), empty):
            if "up to date" not in child.run([*DVC, "status"], place):
                raise UserError(f"{place}: not up to date; run `make repro` first")
        repro = [*DVC, "repro"]
        tasks = {"empty": lambda: child.run(repro, empty), "ours": lambda: child.run(repro, Path.cwd())}
        seconds = timing.alternately(tasks, arguments.rounds)
    ratios = [ours / theirs for ours, theirs in zip(seconds["ours"], seconds["empty"], strict=True)]
    content = {
        "machine": machine.describe(),
        "stages": stages,
        "seconds": {name: timing.summary(values) for name, values in seconds.items()},
        "ratio": timing.summary(ratios),
    }
    print(content["seconds"], content["ratio"])
    files.write_json(RESULTS, content)


def make_empty_project(folder: Path, stages: int) -> None:
    """Makes a git repository with a chain of stages, each of which copies a file."""
    lines = ["stages:"]
    for number in range(stages):
        lines += [
            f"  stage{number}:",
            f"    cmd: cp file{number} file{number + 1}",
            f"    deps: [file{number}]",
            f"    outs: [file{number + 1}]",
        ]
    (folder / "dvc.yaml").write_text("\n".join(lines) + "\n")
    (folder / "file0").write_text("0\n")
    for command in (["git", "init", "-q"], [*DVC, "init", "-q"], [*DVC, "repro", "-q"]):
        child.run(command, folder)


if __name__ == "__main__":
    errors.run(main)

"""Wall time and accuracy of the default recipe beside the published CNN's, both from process start to saved model.

    MNIST_DIR=folder python -m benchmarks.training_time --rounds 3

The two run alternately, each in a process of its own: `benchmarks.published` with its ten epochs, and the stage `train`
on `data/tfrecords`. Nothing else should run. Writes `benchmarks/results/training_time.json`, for `benchmarks.report`.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine, stage_train, timing
from digits import params
from digits.core import errors, files, paths
from digits.core.errors import UserError

RESULTS = Path("benchmarks/results/training_time.json")


def main() -> None:
    """Runs the rounds, then measures the models on the test split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds", type=timing.count, default=3, help="how often each is run, with another seed each time"
    )
    parser.add_argument("--recipe", default=params.load().recipe, help="a block of params.yaml")
    parser.add_argument(
        "--epochs", type=timing.count, default=10, help="of the published CNN; fewer than 10 are scaled up to ten"
    )
    arguments = parser.parse_args()
    if "MNIST_DIR" not in os.environ:
        raise UserError("MNIST_DIR is not set: name the folder with MNIST's four .gz files")
    os.environ["MNIST_DIR"] = os.path.abspath(os.environ["MNIST_DIR"])  # for a process in another folder
    rounds = []
    for number in range(arguments.rounds):
        rounds.append(run_both(arguments.recipe, params.load().seed + number, arguments.epochs))
        print(rounds[-1], flush=True)
    ratios = [entry["published_seconds"] / entry["seconds"] for entry in rounds]
    content = {
        "recipe": arguments.recipe,
        "machine": machine.describe(),
        "published_epochs": arguments.epochs,
        "rounds": rounds,
        "ratio": timing.summary(ratios),
    }
    files.write_json(RESULTS, content)


def run_both(recipe: str, seed: int, epochs: int) -> dict[str, Any]:
    """Returns seconds and test accuracy of both, in that order."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage_train.prepare(folder, {"seed": seed, "recipe": recipe})
        published = ["-m", "benchmarks.published", f"--seed={seed}", f"--epochs={epochs}", "--save=published.keras"]
        published_seconds = stage_train.timed([sys.executable, *published], folder)
        return {
            "seed": seed,
            "published_seconds": published_seconds * 10 / epochs,
            "seconds": stage_train.timed([sys.executable, "-m", "stages.train"], folder),
            "published_test_accuracy": stage_train.accuracy(folder / "published.keras", scale=255),
            "test_accuracy": stage_train.accuracy(folder / paths.MODEL),
        }


if __name__ == "__main__":
    errors.run(main)

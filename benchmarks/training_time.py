"""Wall time and accuracy of the default recipe beside the published CNN's, both from process start to saved model.

    MNIST_DIR=folder python -m benchmarks.training_time --rounds 3

The two run alternately, each in a process of its own: `benchmarks.published` with its ten epochs, and the stage `train`
on `data/tfrecords`. Nothing else should run. Writes `benchmarks/results/training_time.json`, for `benchmarks.report`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks import machine, timing
from digits import params
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.metrics import scoring
from digits.models import keras_file
from digits.splits import tfrecords

ROOT = Path(__file__).parents[1]
RESULTS = Path("benchmarks/results/training_time.json")


def main() -> None:
    """Runs the rounds, then measures the models on the test split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run, with another seed each time")
    parser.add_argument("--recipe", default=params.load().recipe, help="a block of params.yaml")
    parser.add_argument(
        "--epochs", type=int, default=10, help="of the published CNN; fewer than 10 are scaled up to ten"
    )
    arguments = parser.parse_args()
    if "MNIST_DIR" not in os.environ:
        raise UserError("MNIST_DIR is not set: name the folder with MNIST's four .gz files")
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
        (folder / paths.TFRECORDS).parent.mkdir(parents=True)
        (folder / paths.TFRECORDS).symlink_to((ROOT / paths.TFRECORDS).resolve())
        shutil.copytree(ROOT / "drawings", folder / "drawings")
        yaml = YAML()
        content = yaml.load(ROOT / paths.PARAMS) | {"seed": seed, "recipe": recipe}
        with (folder / paths.PARAMS).open("w") as file:
            yaml.dump(content, file)
        published = [
            sys.executable,
            "-m",
            "benchmarks.published",
            f"--seed={seed}",
            f"--epochs={epochs}",
            "--save=p.keras",
        ]
        published_seconds = timed(published, folder)
        seconds = timed([sys.executable, "-m", "stages.train"], folder)
        test = tfrecords.read(folder / paths.TFRECORDS, "test")
        found = {"seed": seed, "published_seconds": published_seconds * 10 / epochs, "seconds": seconds}
        for prefix, path in (("published_", folder / "p.keras"), ("", folder / paths.MODEL)):
            images = test.images / 255 if prefix else test.images
            probabilities = keras_file.probabilities(keras_file.load(path), images)
            found[f"{prefix}test_accuracy"] = scoring.summarize(test.labels, probabilities, list("0123456789"))[
                "accuracy"
            ]
        return found


def timed(command: list[str], folder: Path) -> float:
    """Returns the seconds that a command takes in a folder, with TensorFlow's own settings to begin with."""
    ours = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA")  # set by importing `digits`
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    start = time.perf_counter()
    environment["PYTHONPATH"] = str(ROOT)
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - start


if __name__ == "__main__":
    errors.run(main)

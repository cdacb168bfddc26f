"""Training time and accuracy of the active recipe in float32 and in bfloat16, whose products some processors compute.

    python -m benchmarks.precision --rounds 5

The settings run alternately, the stage `train` each time in a process of its own, with another seed each round. Only a
processor that lists `avx512_bf16` or `amx_bf16` in /proc/cpuinfo multiplies in bfloat16; others convert to float32.
Writes `benchmarks/results/precision.json`.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine, stage_train, timing
from digits import params
from digits.core import errors, files, paths

RESULTS = Path("benchmarks/results/precision.json")
SETTINGS = {
    "float32, avx2": {"train.precision": "float32", "processor.instructions": "avx2"},
    "float32, all": {"train.precision": "float32", "processor.instructions": "all"},
    "mixed_bfloat16, all": {"train.precision": "mixed_bfloat16", "processor.instructions": "all"},
}


def main() -> None:
    """Runs the rounds and prints a line for each training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds", type=timing.count, default=5, help="how often each setting is run, with another seed each time"
    )
    arguments = parser.parse_args()
    parameters = params.load()
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in SETTINGS}
    for seed in range(parameters.seed, parameters.seed + arguments.rounds):
        for name, changes in SETTINGS.items():
            runs[name].append(run({**changes, "seed": seed}))
            print(name, runs[name][-1], flush=True)
    content = {
        "recipe": parameters.recipe,
        "machine": machine.describe(),
        "runs": runs,
        "seconds": {name: timing.summary([entry["seconds"] for entry in found]) for name, found in runs.items()},
    }
    files.write_json(RESULTS, content)


def run(changes: dict[str, Any]) -> dict[str, Any]:
    """Trains once; returns the seed, seconds from process start to saved model, validation and test accuracy."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage_train.prepare(folder, changes)
        return {
            "seed": changes["seed"],
            "seconds": stage_train.timed([sys.executable, "-m", "stages.train"], folder),
            "validation_accuracy": files.read_json(folder / paths.TRAIN_METRICS)["val_accuracy"],
            "test_accuracy": stage_train.accuracy(folder / paths.MODEL),
        }


if __name__ == "__main__":
    errors.run(main)

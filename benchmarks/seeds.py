"""Accuracy and training time of a recipe over several seeds, on the data of `data/tfrecords` and other people's digits.

    make bench                            # the active recipe, five seeds, beginning with that of params.yaml
    make bench RECIPE=cnn_deep SEEDS=10

The validation split stays the same, unless the recipe holds more out than `preprocess`; initial weights, order and
distortions differ. The first seed is the pipeline's
own: its accuracy is that of `metrics/test.json`. Writes `benchmarks/seeds/<recipe>.json`.
"""

import argparse
import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine
from digits import params
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.drawing import strokes
from digits.evaluation import robustness
from digits.inputs import drawn_digits
from digits.metrics import scoring
from digits.models import keras_file
from digits.splits import tfrecords
from digits.training import session

RESULTS = Path("benchmarks/seeds")


def main() -> None:
    """Trains once per seed and prints a line for each, then mean and standard deviation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds; a spread takes at least two")
    parser.add_argument("--recipe", help="a block of params.yaml; without it the active one")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        raise UserError("--seeds: a spread takes at least two")
    parameters = params.load()
    name = arguments.recipe or parameters.recipe
    seeds = range(parameters.seed, parameters.seed + arguments.seeds)
    runs = [measure(parameters, name, seed) for seed in seeds]
    summary = {metric: spread([run[metric] for run in runs]) for metric in runs[0] if metric != "seed"}
    for metric, values in summary.items():
        print(f"{metric:20} {values['mean']:.4f} +- {values['sd']:.4f}   median {values['median']:.4f}   n {len(runs)}")
    results = {"recipe": name, "machine": machine.describe(), "summary": summary, "runs": runs}
    files.write_json(RESULTS / f"{name}.json", results)


def measure(parameters: params.Params, recipe: str, seed: int) -> dict[str, Any]:
    """Trains with one seed and measures on validation and test; nothing is chosen by these metrics."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = session.prepare(
            parameters.recipe_named(recipe),
            parameters.train,
            parameters.processor,
            seed=seed,
            records=paths.TFRECORDS,
            drawings=paths.PRACTICE_DRAWINGS,
            checkpoint=Path(folder, "checkpoint.npz"),
        )
        result = prepared.train()
    spec, test = prepared.spec, tfrecords.read(paths.TFRECORDS, "test")
    network = partial(keras_file.probabilities, result.model)
    summary = scoring.summarize(test.labels, network(test.images), spec.classes)
    metrics = {
        "seed": seed,
        "validation_accuracy": result.summary["val_accuracy"],
        "test_accuracy": summary["accuracy"],
        "test_loss": summary["loss"],
        "test_ece": summary["ece"],
        "training_seconds": result.seconds,
    }
    if drawn_digits.takes_drawings(spec.classes, spec.image_shape):
        for name, split in robustness.digit_sets(spec.name, strokes.read(paths.DRAWINGS)).items():
            metrics[f"{name}_accuracy"] = float((network(split.images).argmax(axis=1) == split.labels).mean())
    print(
        "  ".join(
            f"{name} {value:.4f}" if isinstance(value, float) else f"{name} {value}" for name, value in metrics.items()
        ),
        flush=True,
    )
    return metrics


def spread(values: list[float]) -> dict[str, float]:
    """Returns mean, standard deviation (n - 1), median and range."""
    return {
        "mean": statistics.mean(values),
        "sd": statistics.stdev(values),
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
    }


if __name__ == "__main__":
    errors.run(main)

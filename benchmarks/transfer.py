"""Does the accuracy on the test split tell how digits of other people are read? Measured on the comparison's networks.

    python -m benchmarks.transfer           # after make compare

A project without users cannot compare its offline metric with what they experience. What comes nearest to them here are
drawings by hand, scikit-learn's digits and photographs. Reads `runs/compare/compare/results/*/model.keras`, prints a
line per network, and writes `benchmarks/results/transfer.json`: the accuracies, and Spearman's rank correlation of each
with that on the test split over the networks.
"""

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from scipy import stats

from benchmarks import machine
from digits import params
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.drawing import strokes
from digits.evaluation import robustness
from digits.evaluation.examples import Network
from digits.models import determinism, keras_file
from digits.splits import tfrecords
from digits.splits.split import Split

MODELS = Path("runs/compare/compare/results")
RESULTS = Path("benchmarks/results/transfer.json")
EACH = 20  # photographs in each scenario
TEST = "test split"


def main() -> None:
    """Measures each network on each set.

    Raises:
        UserError: there are not three networks, fewer than a rank correlation needs.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=MODELS, help="a folder with one for each network")
    folder = parser.parse_args().models
    models = sorted(folder.glob("*/model.keras"))
    if len(models) < 3:
        raise UserError(f"{len(models)} networks in {folder}, three or more are needed: make compare trains them")
    parameters = params.load()
    determinism.configure(parameters.processor)
    sets = splits(parameters.seed)
    accuracies = {}
    for path in models:
        network = partial(keras_file.probabilities, keras_file.load(path))
        accuracies[path.parent.name] = {name: accuracy(network, split) for name, split in sets.items()}
        shown = (f"{name} {value:.2%}" for name, value in accuracies[path.parent.name].items())
        print(path.parent.name, *shown, sep="   ", flush=True)
    correlations = {name: correlation(accuracies, name) for name in sets if name != TEST}
    print("rank correlation with the test split:", correlations)
    content = {"machine": machine.describe(), "images": {name: len(split) for name, split in sets.items()}}
    files.write_json(RESULTS, {**content, "accuracies": accuracies, "correlations": correlations})


def splits(seed: int) -> dict[str, Split]:
    """Returns the test split, and the digits of other people as frames."""
    drawings = strokes.read(paths.DRAWINGS)
    _, pictures = robustness.framed_photographs(drawings, EACH, seed)
    return {
        TEST: tfrecords.read(paths.TFRECORDS, "test"),
        **robustness.digit_sets(tfrecords.read_spec(paths.TFRECORDS).name, drawings),
        "photographs": pictures,
    }


def accuracy(network: Network, split: Split) -> float:
    """Returns the accuracy."""
    return float((network(split.images).argmax(axis=1) == split.labels).mean())


def correlation(accuracies: Mapping[str, Mapping[str, float]], name: str) -> float | None:
    """Returns Spearman's rank correlation of a set's accuracies with those of the test split, -1 to 1.

    None where all networks are alike on one of both: they have no ranks.
    """
    pairs = [(of_network[TEST], of_network[name]) for of_network in accuracies.values()]
    if any(len(set(values)) == 1 for values in zip(*pairs, strict=True)):
        return None
    return float(stats.spearmanr(*zip(*pairs, strict=True)).statistic)


if __name__ == "__main__":
    errors.run(main)

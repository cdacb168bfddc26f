"""Stage `robustness`: the model, other people's digits and distorted test images in; how it fares there out."""

from functools import partial
from typing import Any

import numpy as np

from digits import params
from digits.core import errors, files, paths
from digits.drawing import strokes
from digits.evaluation import corruptions, robustness
from digits.models import determinism, keras_file, metadata
from digits.splits import tfrecords


def main() -> None:
    """Measures and chooses nothing: what augmentation there is was chosen on validation versions of these."""
    parameters = params.load()
    determinism.configure(parameters.train.threads)
    network = partial(keras_file.probabilities, keras_file.load(paths.MODEL))
    described = metadata.read(paths.ABOUT)
    decision = described.decision
    test = tfrecords.read(paths.TFRECORDS, "test")
    test = test.take(np.arange(min(len(test), parameters.robustness.images)))
    takes_drawings = robustness.takes_drawings(described.classes, described.image_shape)

    rows = robustness.under_stress(network, test, parameters.seed, frames=takes_drawings)
    examples = np.stack([images[0] for _, _, images in corruptions.distorted(test.images[:1], parameters.seed)])
    figures: dict[str, dict[str, Any]] = {"stress": by_distortion(rows, "accuracy")}
    shown = {"examples": examples}
    if takes_drawings:
        drawings = strokes.read(paths.DRAWINGS)
        others = {"drawings": robustness.drawn(drawings)}
        if described.dataset != "digits":  # which has them in its training split
            others["scikit_learn"] = robustness.scikit_learn()
        figures = {
            **{name: robustness.read_digits(network, split, decision) for name, split in others.items()},
            "no_digits": robustness.refuse_others(network, robustness.no_digits(drawings), decision),
            **figures,
            "stress_framed": by_distortion(rows, "framed"),
        }
        shown |= robustness.misread(network, list(others.values()))
    files.write_json(paths.ROBUSTNESS_METRICS, figures)
    files.write_csv(paths.ROBUSTNESS, rows)
    files.write_arrays(paths.STRESSED, shown)
    print(", ".join(f"{name} {found['accuracy']:.2%}" for name, found in figures.items() if "accuracy" in found))


def by_distortion(rows: list[dict[str, Any]], column: str) -> dict[str, dict[str, float]]:
    """The rows' `column` as distortion -> level -> value."""
    names = dict.fromkeys(row["distortion"] for row in rows)
    return {name: {row["level"]: row[column] for row in rows if row["distortion"] == name} for name in names}


if __name__ == "__main__":
    errors.run(main)

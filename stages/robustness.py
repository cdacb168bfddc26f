"""Stage `robustness`: the model, other people's digits and distorted test images in; how it fares there out."""

from functools import partial
from typing import Any

import numpy as np

from digits import about, artifacts, errors, models, params, paths, records, robustness, runtime, stress, strokes


def main() -> None:
    """Measures and chooses nothing: what augmentation there is was chosen on validation versions of these."""
    parameters = params.load()
    runtime.configure(parameters.train.threads)
    network = partial(models.probabilities, models.load(paths.MODEL))
    described = about.read(paths.ABOUT)
    decision = described.decision
    test = records.read(paths.TFRECORDS, "test")
    test = test.take(np.arange(min(len(test), parameters.robustness.images)))
    takes_drawings = robustness.takes_drawings(described.classes, described.image_shape)

    rows = robustness.under_stress(network, test, parameters.seed, frames=takes_drawings)
    examples = np.stack([images[0] for _, _, images in stress.distorted(test.images[:1], parameters.seed)])
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
    artifacts.write_json(paths.ROBUSTNESS_METRICS, figures)
    artifacts.write_csv(paths.ROBUSTNESS, rows)
    artifacts.write_arrays(paths.STRESSED, shown)
    print(", ".join(f"{name} {found['accuracy']:.2%}" for name, found in figures.items() if "accuracy" in found))


def by_distortion(rows: list[dict[str, Any]], column: str) -> dict[str, dict[str, float]]:
    """The rows' `column` as distortion -> level -> value."""
    names = dict.fromkeys(row["distortion"] for row in rows)
    return {name: {row["level"]: row[column] for row in rows if row["distortion"] == name} for name in names}


if __name__ == "__main__":
    errors.run(main)

"""Figures of the results on the test split: confusion, mistakes, sample predictions, reliability."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from digits.core.text import percent
from digits.metrics import scoring
from digits.reporting import style


def pictures(
    predictions: Sequence[Mapping[str, Any]],
    calibration: Sequence[dict[str, Any]],
    showcase: Mapping[str, np.ndarray],
    classes: list[str],
) -> style.Pictures:
    """Draws the results on the test split.

    Args:
        predictions: rows of `digits.metrics.scoring.predictions`.
        calibration: rows of `digits.metrics.scoring.reliability`.
        showcase: the arrays of `digits.evaluation.examples.showcase`.
        classes: the names of the classes in the order of their labels.
    """
    actual, predicted = ([classes.index(row[name]) for row in predictions] for name in ("actual", "predicted"))
    matrix = np.zeros((len(classes), len(classes)), int)
    np.add.at(matrix, (actual, predicted), 1)
    wrong = [predictions[place] for place in showcase["mistakes_index"]]
    captions = [f"{row['actual']}, read as {row['predicted']}\n{percent(row['confidence'])}" for row in wrong]
    labels = [actual[place] for place in showcase["samples_index"]]
    return {
        "confusion": confusion(matrix, classes),
        "mistakes": style.gallery(showcase["mistakes_images"], captions, title="hardest mistakes, test split"),
        "predictions": sample_predictions(
            showcase["samples_images"], showcase["samples_probabilities"], labels, classes
        ),
        "reliability": reliability(calibration, scoring.calibration_error(calibration)),
    }


def confusion(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draws the confusion matrix; colours show the mistakes only.

    Args:
        matrix: int `[classes, classes]`, rows actual, columns predicted.
        classes: their names.
    """
    side = max(5.0, 0.55 * len(classes))
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    mistakes = np.where(np.eye(len(classes), dtype=bool), 0, matrix)
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, mistakes.max()) * 1.3)  # black text stays readable
    for (actual, predicted), count in np.ndenumerate(matrix):
        weight = "bold" if actual == predicted else "normal"
        axes.text(predicted, actual, str(count) if count else "·", ha="center", va="center", fontsize=9, weight=weight)
    wrong, total = mistakes.sum(), matrix.sum()
    axes.set(title=f"{wrong} mistakes in {total}", xlabel="predicted", ylabel="actual")
    axes.set_xticks(range(len(classes)), classes, rotation=45 if max(map(len, classes)) > 2 else 0)
    axes.set_yticks(range(len(classes)), classes)
    return figure


def sample_predictions(
    images: np.ndarray, probabilities: np.ndarray, labels: Sequence[int], classes: Sequence[str]
) -> Figure:
    """Draws each image above its probabilities as bars; the true class is green, a wrong prediction red.

    Args:
        images: uint8 `[N, H, W, C]`.
        probabilities: float `[N, classes]`.
        labels: the N true classes, as indices.
        classes: the names of the classes.
    """
    figure = Figure(figsize=(2.3 * len(images), 4.2), layout="constrained")
    upper, lower = figure.subplots(2, len(images), squeeze=False, height_ratios=(1, 1.2))
    for above, below, image, row, label in zip(upper, lower, images, probabilities, labels, strict=True):
        best = int(row.argmax())
        style.show(above, image)
        above.axis("off")
        above.set_title(f"{classes[best]} with {percent(row[best])}\n(is {classes[label]})", fontsize=9)
        colors = np.full(len(classes), "0.7", dtype=object)
        colors[best], colors[label] = style.VALIDATION, style.TEST
        below.barh(range(len(classes)), row, color=colors.tolist())
        below.set_yticks(range(len(classes)), classes, fontsize=8)
        below.set_xlim(0, 1)
        below.xaxis.set_major_formatter(PercentFormatter(1))
        below.tick_params(axis="x", labelsize=7)
        below.invert_yaxis()
    return figure


def reliability(table: Sequence[Mapping[str, float]], error: float) -> Figure:
    """Draws the reliability diagram: accuracy and number of examples by confidence.

    Args:
        table: rows of `digits.metrics.scoring.reliability`.
        error: the expected calibration error, 0 to 1.
    """
    figure = Figure(figsize=(5, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    confidence = [row["confidence"] for row in table]
    upper.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfect")
    accuracy = np.array([row["accuracy"] for row in table])
    interval = [accuracy - [row["accuracy_low"] for row in table], [row["accuracy_high"] for row in table] - accuracy]
    upper.errorbar(
        confidence, accuracy, interval, fmt="o", color=style.TEST, capsize=3, label="test split, with 95 % intervals"
    )
    upper.set(title=f"expected calibration error {error:.2%}", ylabel="accuracy", ylim=(-0.03, 1.03))
    upper.legend()
    lower.bar(confidence, [row["count"] for row in table], width=0.03, color=style.TEST)
    lower.set(yscale="log", xlabel="confidence", ylabel="examples", xlim=(0, 1.03))
    return figure

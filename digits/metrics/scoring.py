"""Metrics of labelled predictions: accuracy, cross-entropy, per-class scores, calibration error."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digits.metrics.calibration import SMALLEST
from digits.metrics.intervals import wilson_interval


def summarize(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], *, bins: int = 15
) -> dict[str, Any]:
    """Returns the metrics of a split.

    Args:
        labels: int `[N]`.
        probabilities: float `[N, classes]`, rows that sum to 1.
        classes: the names of the classes in the order of their labels.
        bins: of the calibration error.

    Returns:
        `accuracy` with its 95 % Wilson interval `accuracy_low`, `accuracy_high`; `loss`, the mean cross-entropy in
        nats; `correct` of `total`; `ece`, the expected calibration error; `per_class`.
    """
    correct, total = int((probabilities.argmax(axis=1) == labels).sum()), len(labels)
    low, high = wilson_interval(correct, total)
    return {
        "accuracy": correct / total,
        "accuracy_low": low,
        "accuracy_high": high,
        "loss": float(losses(labels, probabilities).mean()),
        "correct": correct,
        "total": total,
        "ece": calibration_error(reliability(labels, probabilities, bins=bins)),
        "per_class": {row.pop("class"): row for row in per_class(labels, probabilities, classes)},
    }


def losses(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Returns the cross-entropy of each example in nats, float64 `[N]`."""
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return np.asarray(-np.log(np.maximum(true, SMALLEST)))


def per_class(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Returns one row per class: `class`, `precision`, `recall`, `f1`, and `support`, its number of examples."""
    from sklearn.metrics import precision_recall_fscore_support  # noqa: PLC0415  # takes a second; pictures do without

    scores = precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=range(len(classes)), zero_division=0.0
    )
    return [
        {
            "class": name,
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "support": int(support),
        }
        for name, precision, recall, f1, support in zip(classes, *scores, strict=True)
    ]


def reliability(labels: np.ndarray, probabilities: np.ndarray, *, bins: int = 15) -> list[dict[str, Any]]:
    """Returns accuracy by confidence: one row for each non-empty bin of `bins` equal ones.

    Returns:
        `confidence` and `accuracy`, the means within the bin; `accuracy_low` and `accuracy_high`, the 95 % Wilson
        interval of the accuracy; and `count`.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_numbers = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = []
    for inside in (bin_numbers == number for number in range(bins)):
        if inside.any():
            right, count = int(correct[inside].sum()), int(inside.sum())
            low, high = wilson_interval(right, count)
            mean = float(confidence[inside].mean(dtype=np.float64))
            interval = {"accuracy_low": low, "accuracy_high": high}
            rows.append({"confidence": mean, "accuracy": right / count, **interval, "count": count})
    return rows


def calibration_error(rows: Sequence[dict[str, Any]]) -> float:
    """Returns the expected calibration error (Guo et al., https://arxiv.org/abs/1706.04599), 0 to 1."""
    total = sum(row["count"] for row in rows)
    return float(sum(row["count"] * abs(row["accuracy"] - row["confidence"]) for row in rows) / total)


def predictions(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Returns one row per example: `index`, `actual`, `predicted`, `confidence` in the prediction, `loss`."""
    return [
        {
            "index": index,
            "actual": classes[label],
            "predicted": classes[row.argmax()],
            "confidence": float(row.max()),
            "loss": float(loss),
        }
        for index, (label, row, loss) in enumerate(
            zip(labels, probabilities, losses(labels, probabilities), strict=True)
        )
    ]

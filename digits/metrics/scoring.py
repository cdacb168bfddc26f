"""How good are predictions? Figures from labels and probabilities alone, without TensorFlow."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from digits.metrics.calibration import SMALLEST
from digits.metrics.intervals import wilson_interval
from digits.splits.split import Split


def summarize(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], *, bins: int = 15
) -> dict[str, Any]:
    """The figures of `metrics/test.json`.

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


def table(summary: Mapping[str, Any]) -> str:
    """A `summary` for a person to read."""
    width = max(map(len, summary["per_class"]))
    lines = [
        f"accuracy           {summary['accuracy']:.2%}   95 % interval {summary['accuracy_low']:.2%} to "
        f"{summary['accuracy_high']:.2%}   ({summary['correct']:,} of {summary['total']:,})",
        f"loss               {summary['loss']:.4f}",
        f"calibration error  {summary['ece']:.2%}",
        f"{'class':>{max(width, 5)}}  precision  recall      f1  images",
    ]
    lines += [
        f"{name:>{max(width, 5)}}  {row['precision']:9.2%} {row['recall']:7.2%} {row['f1']:7.2%} {row['support']:7,}"
        for name, row in summary["per_class"].items()
    ]
    return "\n".join(lines)


def losses(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The cross-entropy of each example in nats, float64 `[N]`."""
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return np.asarray(-np.log(np.maximum(true, SMALLEST)))


def per_class(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> list[dict[str, Any]]:
    """A row a class: `class`, `precision`, `recall`, `f1`, and `support`, its number of examples."""
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
    """How often predictions of a confidence come true: a row for each of `bins` equal bins that holds any.

    Returns:
        `confidence` and `accuracy`, the means within the bin; `accuracy_low` and `accuracy_high`, its 95 % Wilson
        interval; and `count`.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = []
    for inside in (places == place for place in range(bins)):
        if inside.any():
            right, count = int(correct[inside].sum()), int(inside.sum())
            low, high = wilson_interval(right, count)
            mean = float(confidence[inside].mean(dtype=np.float64))
            interval = {"accuracy_low": low, "accuracy_high": high}
            rows.append({"confidence": mean, "accuracy": right / count, **interval, "count": count})
    return rows


def calibration_error(rows: Sequence[dict[str, Any]]) -> float:
    """The expected calibration error (Guo et al., https://arxiv.org/abs/1706.04599) of `reliability` rows, 0 to 1."""
    total = sum(row["count"] for row in rows)
    return float(sum(row["count"] * abs(row["accuracy"] - row["confidence"]) for row in rows) / total)


def predictions(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> list[dict[str, Any]]:
    """A row an example: `index`, `actual`, `predicted`, `confidence` in the prediction, `loss`."""
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


def showcase(test: Split, probabilities: np.ndarray, *, samples: int, mistakes: int) -> dict[str, np.ndarray]:
    """The examples to show: the first `samples` as they come, and at most `mistakes` wrong ones, the worst first.

    Returns:
        For both kinds their `{kind}_index` in the split, `{kind}_images`, and `{kind}_probabilities`.
    """
    chosen = {
        "samples": np.arange(min(samples, len(test))),
        "mistakes": hardest_mistakes(test.labels, probabilities, mistakes),
    }
    parts = {"index": np.arange(len(test)), "images": test.images, "probabilities": probabilities}
    return {f"{kind}_{name}": part[index] for kind, index in chosen.items() for name, part in parts.items()}


def hardest_mistakes(labels: np.ndarray, probabilities: np.ndarray, count: int) -> np.ndarray:
    """The indices of at most `count` wrong predictions, the largest loss first."""
    mistakes = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    order = np.argsort(-losses(labels, probabilities)[mistakes], kind="stable")
    return mistakes[order][:count]

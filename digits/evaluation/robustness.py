"""Accuracy beyond the test split: other people's digits, drawings, corruptions, and images of no digit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digits.core.progress import track
from digits.datasets import embedded
from digits.drawing.strokes import Drawing
from digits.evaluation import corruptions, examples
from digits.evaluation.examples import Network
from digits.inputs.drawn_digits import drawn, framed, no_digits, takes_drawings
from digits.metrics import intervals
from digits.metrics.decision import Decision
from digits.models.metadata import Metadata
from digits.splits.split import Split

LEVELS = ("mild", "medium", "strong")
SHOWN = 24  # misread images at most


@dataclass(frozen=True)
class Report:
    """What the stage `robustness` found.

    Attributes:
        figures: the content of `metrics/robustness.json`.
        rows: accuracy under each corruption, as `under_stress` returns them.
        shown: images to look at: `examples`, one under each corruption, uint8 `[M, H, W, C]`; what `misread` returns.
    """

    figures: dict[str, dict[str, Any]]
    rows: list[dict[str, Any]]
    shown: dict[str, np.ndarray]


def measure(network: Network, metadata: Metadata, test: Split, drawings: Sequence[Drawing], seed: int) -> Report:
    """Everything there is to measure for a network: a network of other classes or images has corruptions only.

    Args:
        network: from images, uint8 `[N, H, W, C]`, to probabilities, float32 `[N, classes]`.
        metadata: of the network.
        test: the test images to corrupt.
        drawings: of digits and of other things.
        seed: of what is random in the corruptions.
    """
    draws = takes_drawings(metadata.classes, metadata.image_shape)
    rows = under_stress(network, test, seed, frames=draws)
    first = np.stack([images[0] for _, _, images in corruptions.distorted(test.images[:1], seed)])
    if not draws:
        return Report({"stress": by_distortion(rows, "accuracy")}, rows, {"examples": first})
    others = {"drawings": drawn(drawings)}
    if metadata.dataset != embedded.NAME:  # which has these digits in its training split
        others["scikit_learn"] = scikit_learn()
    figures: dict[str, dict[str, Any]] = {
        **{name: read_digits(network, split, metadata.decision) for name, split in others.items()},
        "no_digits": refuse_others(network, no_digits(drawings), metadata.decision),
        "stress": by_distortion(rows, "accuracy"),
        "stress_framed": by_distortion(rows, "framed"),
    }
    return Report(figures, rows, {"examples": first, **misread(network, list(others.values()))})


def by_distortion(rows: Sequence[dict[str, Any]], column: str) -> dict[str, dict[str, float]]:
    """The rows' `column` as distortion -> level -> value."""
    names = dict.fromkeys(row["distortion"] for row in rows)
    return {name: {row["level"]: row[column] for row in rows if row["distortion"] == name} for name in names}


def scikit_learn() -> Split:
    """The 1,797 digits that scikit-learn brings (E. Alpaydin, C. Kaynak; 8x8 pixels), as frames."""
    images, labels = embedded.digits_8x8()
    return Split(framed(list(images)), labels)


def read_digits(network: Network, split: Split, decision: Decision) -> dict[str, float]:
    """Accuracy with its 95 % Wilson interval, and the share that gets no sure answer, and of wrong ones among the sure.

    Returns:
        `accuracy`, `accuracy_low`, `accuracy_high`, `total`, `refused`, `error`.
    """
    probabilities = network(split.images)
    right = probabilities.argmax(axis=1) == split.labels
    low, high = intervals.wilson_interval(int(right.sum()), len(right))
    sure = probabilities.max(axis=1) >= decision.sure
    return {
        "accuracy": float(right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "total": len(right),
        "refused": float(1 - sure.mean()),
        "error": float((~right[sure]).mean()) if sure.any() else 0.0,
    }


def refuse_others(network: Network, images: np.ndarray, decision: Decision) -> dict[str, float]:
    """The shares of pictures of none of the classes that are called `unknown`, and that get no sure answer."""
    confidence = network(images).max(axis=1)
    return {
        "unknown": float((confidence < decision.known).mean()),
        "refused": float((confidence < decision.sure).mean()),
        "total": len(images),
    }


def under_stress(network: Network, split: Split, seed: int, *, frames: bool) -> list[dict[str, Any]]:
    """The accuracy under every distortion: a row for each strength.

    Returns:
        `distortion`; `level`, one of `LEVELS`; `strength`, in the distortion's unit; `accuracy`, of the network on the
        distorted images as they are; with `frames` also `framed`, that after `digits.drawing.framing.frame`.
    """
    rows = []
    distorted = track(corruptions.distorted(split.images, seed), "corruptions", corruptions.COUNT)
    for number, (name, strength, images) in enumerate(distorted):
        row = {"distortion": name, "level": LEVELS[number % len(LEVELS)], "strength": float(strength)}
        row["accuracy"] = float((network(images).argmax(axis=1) == split.labels).mean())
        if frames:
            row["framed"] = float((network(framed(list(images))).argmax(axis=1) == split.labels).mean())
        rows.append(row)
    return rows


def misread(network: Network, splits: Sequence[Split]) -> dict[str, np.ndarray]:
    """At most `SHOWN` images that are misread, the surest mistakes first.

    Returns:
        `misread_images`, uint8 `[M, H, W, C]`; `misread_labels` and `misread_answers`, int64 `[M]`.
    """
    images, labels = (np.concatenate([getattr(split, name) for split in splits]) for name in ("images", "labels"))
    probabilities = network(images)
    chosen = examples.hardest_mistakes(labels, probabilities, SHOWN)
    return {
        "misread_images": images[chosen],
        "misread_labels": labels[chosen],
        "misread_answers": probabilities[chosen].argmax(axis=1),
    }

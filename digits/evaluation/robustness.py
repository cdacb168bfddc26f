"""Accuracy beyond the test split: other people's digits, drawings, photographs, corruptions, images of no digit."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from digits.core.progress import track
from digits.datasets import embedded
from digits.drawing import framing
from digits.drawing.strokes import Drawing
from digits.evaluation import corruptions, examples, photographs
from digits.evaluation.examples import Network
from digits.inputs.drawn_digits import drawn, framed, no_digits, takes_drawings
from digits.metrics import intervals
from digits.metrics.decision import Decision
from digits.models.metadata import Metadata
from digits.splits.split import Split

Item = TypeVar("Item")

LEVELS = ("mild", "medium", "strong")
SHOWN = 24  # misread images at most
EACH = 10  # photographs in each scenario
NOT_ONE = -1  # label of a photograph in which not one digit was found; no answer to it is right


@dataclass(frozen=True)
class Report:
    """The results of the stage `robustness`.

    Attributes:
        metrics: the content of `metrics/robustness.json`.
        rows: accuracy under each corruption, as `under_stress` returns them.
        images: `examples`, one image under each corruption, uint8 `[M, H, W, C]`; and the arrays of `misread`.
    """

    metrics: dict[str, dict[str, Any]]
    rows: list[dict[str, Any]]
    images: dict[str, np.ndarray]


def measure(network: Network, metadata: Metadata, test: Split, drawings: Sequence[Drawing], seed: int) -> Report:
    """Measures a network; one for other classes or images is measured on corruptions only.

    Args:
        network: from images, uint8 `[N, H, W, C]`, to probabilities, float32 `[N, classes]`.
        metadata: of the network.
        test: the test images to corrupt.
        drawings: of digits and of no digits.
        seed: of the random corruptions.
    """
    is_for_drawings = takes_drawings(metadata.classes, metadata.image_shape)
    rows = under_stress(network, test, seed, frames=is_for_drawings)
    examples_of_corruptions = np.stack([images[0] for _, _, images in corruptions.corrupted(test.images[:1], seed)])
    if not is_for_drawings:
        return Report({"stress": by_corruption(rows, "accuracy")}, rows, {"examples": examples_of_corruptions})
    sets = digit_sets(metadata.dataset, drawings)
    metrics: dict[str, dict[str, Any]] = {
        **{name: read_digits(network, split, metadata.decision) for name, split in sets.items()},
        "no_digits": refuse_others(network, no_digits(drawings), metadata.decision),
        "photographs": read_photographs(network, drawings, metadata.decision, seed),
        "stress": by_corruption(rows, "accuracy"),
        "stress_framed": by_corruption(rows, "framed"),
    }
    return Report(metrics, rows, {"examples": examples_of_corruptions, **misread(network, list(sets.values()))})


def by_corruption(rows: Sequence[dict[str, Any]], column: str) -> dict[str, dict[str, float]]:
    """Returns the rows' `column` as corruption -> level -> value."""
    names = dict.fromkeys(row["distortion"] for row in rows)
    return {name: {row["level"]: row[column] for row in rows if row["distortion"] == name} for name in names}


def digit_sets(dataset: str, drawings: Sequence[Drawing]) -> dict[str, Split]:
    """Returns the digits of other people that a network, trained on `dataset`, has not seen, as frames."""
    if dataset == embedded.NAME:  # whose training split has scikit-learn's digits
        return {"drawings": drawn(drawings)}
    return {"drawings": drawn(drawings), "scikit_learn": scikit_learn()}


def scikit_learn() -> Split:
    """Returns the 1,797 digits of scikit-learn (E. Alpaydin, C. Kaynak; 8x8 pixels), as frames."""
    images, labels = embedded.digits_8x8()
    return Split(framed(list(images)), labels)


def read_digits(network: Network, split: Split, decision: Decision) -> dict[str, float]:
    """Measures accuracy, with its 95 % Wilson interval, and the thresholds on labelled images.

    Returns:
        `accuracy`, `accuracy_low`, `accuracy_high`, `total`; `refused`, the share without a sure answer; `error`, the
        share of wrong ones among the sure answers.
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
    """Measures the shares of images of none of the classes that are `unknown`, and without a sure answer."""
    confidence = network(images).max(axis=1)
    return {
        "unknown": float((confidence < decision.known).mean()),
        "refused": float((confidence < decision.sure).mean()),
        "total": len(images),
    }


def read_photographs(
    network: Network, drawings: Sequence[Drawing], decision: Decision, seed: int
) -> dict[str, float | dict[str, float]]:
    """Measures the answers to photographs of drawn digits, `EACH` in every scenario of `photographs.MEASURING`.

    Returns:
        `right`, the share of sure and right answers; `refused`, of those that are not sure, or where not one digit was
        found; `wrong`, of sure and wrong ones; `total`; `scenarios`, `right` by scenario.
    """
    scenarios, split = framed_photographs(drawings, EACH, seed)
    probabilities = network(split.images)
    sure = (split.labels != NOT_ONE) & (probabilities.max(axis=1) >= decision.sure)
    right = sure & (probabilities.argmax(axis=1) == split.labels)
    return {
        "right": float(right.mean()),
        "refused": float(1 - sure.mean()),
        "wrong": float((sure & ~right).mean()),
        "total": len(split),
        "scenarios": {name: float(right[scenarios == name].mean()) for name in photographs.MEASURING},
    }


def framed_photographs(drawings: Sequence[Drawing], each: int, seed: int) -> tuple[np.ndarray, Split]:
    """Frames photographs of drawn digits, `each` in every scenario of `photographs.MEASURING`.

    Returns:
        The scenario of each photograph, str `[N]`; and the frames as a split. A photograph in which not one digit is
        found is black and has the label `NOT_ONE`.
    """

    def taken(name: str) -> list[tuple[int, np.ndarray | None]]:
        pictures = photographs.pictures({name: photographs.MEASURING[name]}, drawings, each, seed)
        found = [(label, framing.find(picture)) for _, label, picture in pictures]
        return [(label, digits[0].frame) if len(digits) == 1 else (NOT_ONE, None) for label, digits in found]

    names = list(photographs.MEASURING)
    with ThreadPoolExecutor(os.cpu_count()) as workers:  # NumPy and SciPy let another thread run meanwhile
        by_scenario = list(track(workers.map(taken, names), "photographs", len(names)))
    labels, frames = zip(*(photograph for scenario in by_scenario for photograph in scenario), strict=True)
    images = np.stack([np.zeros((framing.SIDE,) * 2, np.uint8) if frame is None else frame for frame in frames])
    return np.repeat(names, each), Split(images[..., None], np.array(labels, np.int64))


def under_stress(network: Network, split: Split, seed: int, *, frames: bool) -> list[dict[str, Any]]:
    """Measures the accuracy under every corruption: one row per strength.

    Returns:
        `distortion`, the corruption's name; `level`, one of `LEVELS`; `strength`, in the corruption's unit; `accuracy`,
        on the corrupted images; with `frames` also `framed`, the accuracy after `digits.drawing.framing.frame`.
    """
    rows = []
    for number, (name, strength, images, frames_of_images) in enumerate(_in_advance(_corrupted(split, seed, frames))):
        row = {"distortion": name, "level": LEVELS[number % len(LEVELS)], "strength": float(strength)}
        answers = network(images).argmax(axis=1)
        row["accuracy"] = float((answers == split.labels).mean())
        if frames_of_images is not None:
            changed = (frames_of_images != images).any(axis=(1, 2, 3))  # most are left as they are
            if changed.any():
                answers[changed] = network(frames_of_images[changed]).argmax(axis=1)
            row["framed"] = float((answers == split.labels).mean())
        rows.append(row)
    return rows


def _corrupted(split: Split, seed: int, frames: bool) -> Iterator[tuple[str, float, np.ndarray, np.ndarray | None]]:
    corrupted = track(corruptions.corrupted(split.images, seed), "corruptions", corruptions.COUNT)
    for name, strength, images in corrupted:
        yield name, strength, images, framed(list(images)) if frames else None


def _in_advance(items: Iterator[Item]) -> Iterator[Item]:
    """Yields the items; a thread makes the next one meanwhile: one core frames while the network takes the others."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        following = worker.submit(next, items, None)
        while (item := following.result()) is not None:
            following = worker.submit(next, items, None)
            yield item


def misread(network: Network, splits: Sequence[Split]) -> dict[str, np.ndarray]:
    """Returns at most `SHOWN` misread images, the largest loss first.

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

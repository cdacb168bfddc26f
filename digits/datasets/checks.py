"""Checks that raw data must pass before it is used, and statistics of the splits."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from digits.splits.split import Dataset, Split


def violations(dataset: Dataset, *, max_imbalance: float, max_leakage: float) -> list[str]:
    """Returns every reason to reject `dataset`, one phrase each; none if it is sound.

    Args:
        dataset: images and labels as loaded, with nothing assumed about them.
        max_imbalance: upper limit of the largest class's images per image of the smallest class, training split.
        max_leakage: upper limit of the share of test images that are also in the training split.
    """
    classes = len(dataset.card["classes"])
    malformed = [phrase for name, split in dataset.splits.items() for phrase in _malformed(name, split, classes)]
    return malformed or list(_unsound(dataset, classes, max_imbalance, max_leakage))


def _malformed(name: str, split: Split, classes: int) -> Iterator[str]:
    images, labels = split.images, split.labels
    if images.dtype != np.uint8 or images.ndim != 4:
        yield f"{name}: images are {images.dtype} {list(images.shape)}, not uint8 [N, H, W, C]"
    if labels.dtype != np.int64 or labels.ndim != 1:
        yield f"{name}: labels are {labels.dtype} {list(labels.shape)}, not int64 [N]"
    if len(images) != len(labels):
        yield f"{name}: {len(images)} images, but {len(labels)} labels"
    elif not len(labels):
        yield f"{name}: holds no images"
    elif labels.min() < 0 or labels.max() >= classes:
        yield f"{name}: labels go from {labels.min()} to {labels.max()}, not from 0 to {classes - 1}"
    if images.size and images.max() <= 1:
        yield f"{name}: pixels go from {images.min()} to {images.max()}, not to 255: already scaled, or empty"


def _unsound(dataset: Dataset, classes: int, max_imbalance: float, max_leakage: float) -> Iterator[str]:
    train, test = dataset.train, dataset.test
    if train.images.shape[1:] != test.images.shape[1:]:
        yield f"train images are {list(train.images.shape[1:])}, test images {list(test.images.shape[1:])}"
    for name, split in dataset.splits.items():
        absent = np.flatnonzero(np.bincount(split.labels, minlength=classes) == 0)
        if absent.size:
            yield f"{name}: no image of class {', '.join(dataset.card['classes'][label] for label in absent)}"
    counts = np.bincount(train.labels, minlength=classes)
    if counts.min() and counts.max() > max_imbalance * counts.min():
        yield (
            f"train: the largest class has {counts.max() / counts.min():.0f} times the images of the smallest "
            f"(preprocess.max_imbalance is {max_imbalance:g})"
        )
    leakage = shared(train, test) / len(test)
    if leakage > max_leakage:
        yield f"{leakage:.1%} of the test images are also in train (preprocess.max_leakage is {max_leakage:.1%})"


def describe(splits: Mapping[str, Split], classes: Sequence[str]) -> dict[str, Any]:
    """Returns the statistics for `metrics/data.json`: counts, shapes, ranges, balance, exact duplicates."""
    return {
        "splits": {name: _describe(split, classes) for name, split in splits.items()},
        "duplicates_across": {
            f"{first}_{second}": shared(splits[first], splits[second]) for first, second in combinations(splits, 2)
        },
    }


def _describe(split: Split, classes: Sequence[str]) -> dict[str, Any]:
    counts = np.bincount(split.labels, minlength=len(classes))
    return {
        "images": len(split),
        "shape": list(split.images.shape[1:]),
        "pixel_min": int(split.images.min()),
        "pixel_max": int(split.images.max()),
        "pixel_mean": float(split.images.mean()),
        "imbalance": float(counts.max() / max(counts.min(), 1)),
        "duplicates": len(split) - len(_content(split)),
        "per_class": dict(zip(classes, counts.tolist(), strict=True)),
    }


def shared(first: Split, second: Split) -> int:
    """Counts the images of `second` that are also in `first`, pixel for pixel."""
    known = _content(first)
    return sum(count for image, count in _content(second).items() if image in known)


def _content(split: Split) -> Counter[bytes]:
    return Counter(image.tobytes() for image in split.images)

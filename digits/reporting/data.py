"""Figures of the data: class balance, samples, augmentation."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from digits.inputs import augmentation
from digits.params import Augmentation
from digits.reporting import style
from digits.splits.split import Split

SAMPLES_PER_CLASS = 8
DISTORTED, VERSIONS = 6, 9


def pictures(
    train: Split, classes: Sequence[str], counts: Mapping[str, Mapping[str, int]], limits: Augmentation, seed: int
) -> style.Pictures:
    """Draws the class balance, some training images, and augmented versions of some.

    Args:
        train: the training split.
        classes: the names of the classes in the order of their labels.
        counts: split -> class -> number of images.
        limits: the largest distortions.
        seed: of the distortions.
    """
    samples = train.take(first_of_each_class(train.labels, SAMPLES_PER_CLASS))
    captions = [classes[label] for label in samples.labels]
    original = train.take(first_of_each_class(train.labels, 1)).images[:DISTORTED]
    return {
        "class_balance": class_balance(counts),
        "samples": style.gallery(samples.images, captions, title="training images", columns=SAMPLES_PER_CLASS),
        "augmentation": distortions(original, versions(original, limits, seed)),
    }


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Returns the indices of the first `count` examples of each class, ordered by class."""
    return np.concatenate([np.flatnonzero(labels == label)[:count] for label in np.unique(labels)])


def class_balance(counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """Draws the share of each class within each split.

    Args:
        counts: split -> class -> number of images.
    """
    classes = list(next(iter(counts.values())))
    figure = Figure(figsize=(max(7.0, 0.6 * len(classes)), 3.6), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(counts)
    for place, (color, (split, by_class)) in enumerate(
        zip((style.TRAINING, style.VALIDATION, style.TEST), counts.items(), strict=False)
    ):
        total = sum(by_class.values())
        shares = [by_class[name] / total for name in classes]
        positions = np.arange(len(classes)) + (place - (len(counts) - 1) / 2) * width
        axes.bar(positions, shares, width, color=color, label=f"{split} ({total:,})")
    axes.axhline(1 / len(classes), color="0.6", linestyle="--", linewidth=1)
    axes.set_xticks(range(len(classes)), classes, rotation=45 if max(map(len, classes)) > 2 else 0)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set(ylabel="share of the split")
    axes.legend(ncols=len(counts), loc="lower center")
    return figure


def versions(original: np.ndarray, limits: Augmentation, seed: int) -> np.ndarray:
    """Distorts `VERSIONS` copies of each image as the images of one batch, all of them moved.

    Args:
        original: uint8 `[N, H, W, C]`.
        limits: the largest distortions.
        seed: of the distortions.

    Returns:
        uint8 `[N, VERSIONS, H, W, C]`.
    """
    # Which of a batch are coarse or corrupted depends on their places: in a random order every image gets its share.
    order = np.random.default_rng(seed).permutation(len(original) * VERSIONS)
    batch = original.repeat(VERSIONS, axis=0)
    distorted = np.empty_like(batch)
    distorted[order] = augmentation.distort(batch[order], (seed, 0), limits.model_copy(update={"moved": 1.0}))
    return distorted.reshape(len(original), VERSIONS, *original.shape[1:])


def distortions(original: np.ndarray, distorted: np.ndarray) -> Figure:
    """Draws each original on the left, its distorted versions beside it.

    Args:
        original: uint8 `[N, H, W, C]`.
        distorted: uint8 `[N, versions, H, W, C]`.
    """
    count, columns = len(original), distorted.shape[1] + 1
    height, width = original.shape[1:3]
    figure = Figure(figsize=(1.1 * columns, 1.15 * count + 0.3), layout="constrained")
    axes = figure.subplots()
    axes.axis("off")
    images = np.concatenate([original[:, None], distorted], axis=1).reshape(-1, *original.shape[1:])
    corners = style.tile(axes, images, columns, (width // 14, width // 14))
    for place, (x, y) in enumerate(corners):
        color, line = (style.VALIDATION, 2) if place % columns == 0 else ("0.2", 1)
        frame = Rectangle((x, y), width, height, fill=False, edgecolor=color, linewidth=line, clip_on=False)
        axes.add_patch(frame)
    for place, caption in ((0, "original"), (1, "as trained on")):
        x, y = corners[place]
        axes.text(x, y - width / 28, caption, fontsize=9, va="bottom")
    return figure

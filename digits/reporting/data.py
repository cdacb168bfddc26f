"""Figures of the data: class balance, samples, augmentation."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from digits.inputs import augmentation
from digits.params import Augmentation
from digits.reporting import style
from digits.splits import holdout
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
    samples = train.take(holdout.first_of_each_class(train.labels, SAMPLES_PER_CLASS))
    captions = [classes[label] for label in samples.labels]
    original = train.take(holdout.first_of_each_class(train.labels, 1)).images[:DISTORTED]
    all_of_them = limits.model_copy(update={"moved": 1.0})
    versions = [augmentation.distort(original, (seed, version), all_of_them) for version in range(VERSIONS)]
    return {
        "class_balance": class_balance(counts),
        "samples": style.gallery(samples.images, captions, title="training images", columns=SAMPLES_PER_CLASS),
        "augmentation": distortions(original, np.stack(versions, axis=1)),
    }


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


def distortions(original: np.ndarray, distorted: np.ndarray) -> Figure:
    """Draws each original on the left, its distorted versions beside it.

    Args:
        original: uint8 `[N, H, W, C]`.
        distorted: uint8 `[N, versions, H, W, C]`.
    """
    rows, versions = distorted.shape[:2]
    figure = Figure(figsize=(1.1 * (versions + 1), 1.15 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, versions + 1, squeeze=False)
    for line, first, others in zip(grid, original, distorted, strict=True):
        for axes, image in zip(line, [first, *others], strict=True):
            style.show(axes, image)
            axes.set(xticks=[], yticks=[])
        for spine in line[0].spines.values():
            spine.set(edgecolor=style.VALIDATION, linewidth=2)
    grid[0][0].set_title("original", fontsize=9)
    grid[0][1].set_title("as trained on", fontsize=9, loc="left")
    return figure

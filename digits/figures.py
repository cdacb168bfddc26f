"""Pictures of data, training and results; each function returns a matplotlib `Figure`, none writes a file.

Figures are made without pyplot: no global state, no display.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

matplotlib.rcdefaults()  # the same picture whatever the user's matplotlibrc says

TRAINING, VALIDATION, TEST = "#4477aa", "#ee6677", "#228833"  # P. Tol's "bright" scheme, told apart by all eyes


def training_curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """Loss and accuracy of training and validation, and the learning rate, over the epochs."""
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    loss, accuracy, rate = figure.subplots(1, 3)
    epochs = [row["epoch"] for row in history]
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        axes.plot(epochs, [row[name] for row in history], color=TRAINING, label="training (as distorted)")
        axes.plot(epochs, [row[f"val_{name}"] for row in history], color=VALIDATION, label="validation")
        axes.set_title(name)
        axes.legend()
    loss.set_yscale("log")
    accuracy.set_ylim(bottom=max(0.0, 1 - 20 * (1 - max(row["val_accuracy"] for row in history))))
    rate.plot(epochs, [row["learning_rate"] for row in history], color="0.3")
    rate.set_title("learning rate")
    for axes in (loss, accuracy, rate):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def confusion(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """Counts of predicted against actual classes; the colours show the mistakes only.

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


def gallery(images: np.ndarray, captions: Sequence[str], *, title: str, columns: int = 8) -> Figure:
    """Images in rows, each under its caption.

    Args:
        images: uint8 `[N, H, W, C]`; C is 1 or 3.
        captions: N texts.
        title: over the whole.
        columns: images a row.
    """
    columns = max(1, min(columns, len(images)))
    rows = max(1, -(-len(images) // columns))
    figure = Figure(figsize=(max(1.25 * columns, 4), 1.55 * rows + 0.5), layout="constrained")
    figure.suptitle(title)
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, caption in zip(figure.axes, images, captions, strict=False):
        show(axes, image)
        axes.set_title(caption, fontsize=8)
    return figure


def show(axes: Axes, image: np.ndarray) -> None:
    """One image, `[H, W, C]`: dark on light where it has one channel."""
    if image.shape[-1] == 1:
        axes.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=255)
    else:
        axes.imshow(image)


def sample_predictions(
    images: np.ndarray, probabilities: np.ndarray, labels: Sequence[int], classes: Sequence[str]
) -> Figure:
    """Each image above the bars of its probabilities; the true class is green, a wrong prediction red.

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
        show(above, image)
        above.axis("off")
        above.set_title(f"{classes[best]} with {percent(row[best])}\n(is {classes[label]})", fontsize=9)
        colors = np.full(len(classes), "0.7", dtype=object)
        colors[best], colors[label] = VALIDATION, TEST
        below.barh(range(len(classes)), row, color=colors.tolist())
        below.set_yticks(range(len(classes)), classes, fontsize=8)
        below.set_xlim(0, 1)
        below.xaxis.set_major_formatter(PercentFormatter(1))
        below.tick_params(axis="x", labelsize=7)
        below.invert_yaxis()
    return figure


def percent(probability: float) -> str:
    """A probability for a person; rounding never makes it certain."""
    return ">99.9%" if probability > 0.999 else f"{probability:.1%}"


def reliability(table: Sequence[Mapping[str, float]], error: float) -> Figure:
    """Accuracy against confidence, with the number of examples at each; on the diagonal is well calibrated.

    Args:
        table: rows of `digits.scoring.reliability`.
        error: the expected calibration error, 0 to 1.
    """
    figure = Figure(figsize=(5, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    confidence = [row["confidence"] for row in table]
    upper.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfect")
    accuracy = np.array([row["accuracy"] for row in table])
    interval = [accuracy - [row["accuracy_low"] for row in table], [row["accuracy_high"] for row in table] - accuracy]
    upper.errorbar(
        confidence, accuracy, interval, fmt="o", color=TEST, capsize=3, label="test split, with 95 % intervals"
    )
    upper.set(title=f"expected calibration error {error:.2%}", ylabel="accuracy", ylim=(-0.03, 1.03))
    upper.legend()
    lower.bar(confidence, [row["count"] for row in table], width=0.03, color=TEST)
    lower.set(yscale="log", xlabel="confidence", ylabel="examples", xlim=(0, 1.03))
    return figure


def class_balance(counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """Share of each class within each split.

    Args:
        counts: split -> class -> number of images.
    """
    classes = list(next(iter(counts.values())))
    figure = Figure(figsize=(max(7.0, 0.6 * len(classes)), 3.6), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(counts)
    for place, (color, (split, by_class)) in enumerate(zip((TRAINING, VALIDATION, TEST), counts.items(), strict=False)):
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


def augmentation(original: np.ndarray, distorted: np.ndarray) -> Figure:
    """Each original on the left, its distorted versions beside it.

    Args:
        original: uint8 `[N, H, W, C]`.
        distorted: uint8 `[N, versions, H, W, C]`.
    """
    rows, versions = distorted.shape[:2]
    figure = Figure(figsize=(1.1 * (versions + 1), 1.15 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, versions + 1, squeeze=False)
    for line, first, others in zip(grid, original, distorted, strict=True):
        for axes, image in zip(line, [first, *others], strict=True):
            show(axes, image)
            axes.set(xticks=[], yticks=[])
        for spine in line[0].spines.values():
            spine.set(edgecolor=VALIDATION, linewidth=2)
    grid[0][0].set_title("original", fontsize=9)
    grid[0][1].set_title("as trained on", fontsize=9, loc="left")
    return figure


def refusal(rows: Sequence[Mapping[str, float]], sure: float) -> Figure:
    """What refusing the less confident answers costs and brings, on the validation split.

    Args:
        rows: of `digits.calibration.trade_off`.
        sure: the chosen threshold.
    """
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    thresholds, refused, error = ([row[name] for row in rows] for name in ("threshold", "refused", "error"))
    low, high = ([row[name] for row in rows] for name in ("error_low", "error_high"))
    left.plot(thresholds, refused, color=TRAINING, label="refused")
    left.plot(thresholds, error, color=VALIDATION, label="wrong among the answered")
    left.axvline(sure, color="0.4", linestyle="--", linewidth=1, label=f"chosen: {sure:.3f}")
    left.set(xlabel="confidence from which on an answer is sure", ylabel="share")
    left.set_yscale("symlog", linthresh=1e-3)
    left.set_ylim(0, 1)
    left.legend(loc="upper left")
    right.fill_between(refused, low, high, color=VALIDATION, alpha=0.2, linewidth=0, label="95 % interval")
    right.plot(refused, error, color=VALIDATION)
    right.set(xlabel="refused", ylabel="wrong among the answered", xlim=(0, min(1.0, max(refused[-1], 0.01))))
    right.xaxis.set_major_locator(MaxNLocator(5))
    right.legend()
    left.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    for axis in (right.xaxis, right.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=None))
    figure.suptitle('when to say "not sure" (validation split)')
    return figure


def robustness(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """The accuracy under each distortion, three strengths each.

    Args:
        rows: of `digits.robustness.under_stress`.
    """
    columns = [name for name in ("accuracy", "framed") if name in rows[0]]
    titles = {"accuracy": "the image as it is", "framed": "after crop, fit and centring"}
    names = list(dict.fromkeys(row["distortion"] for row in rows))
    levels = list(dict.fromkeys(row["level"] for row in rows))
    figure = Figure(figsize=(1.2 + 3.2 * len(columns), 0.34 * len(names) + 1.2), layout="constrained")
    for axes, column in zip(figure.subplots(1, len(columns), squeeze=False)[0], columns, strict=True):
        values = np.array([row[column] for row in rows]).reshape(len(names), len(levels))
        axes.imshow(values, cmap="RdYlGn", vmin=0.5, vmax=1, aspect="auto")
        for (row, place), value in np.ndenumerate(values):
            color = "white" if value < 0.6 or value > 0.97 else "black"  # where the colour behind is dark
            axes.text(place, row, f"{value:.1%}", ha="center", va="center", fontsize=8, color=color)
        axes.set_xticks(range(len(levels)), levels)
        axes.set_yticks(range(len(names)), names)
        axes.set_title(titles[column], fontsize=10)
    return figure

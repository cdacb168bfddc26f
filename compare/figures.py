"""The comparison's figures; each function returns a matplotlib `Figure`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from digits.reporting import style

COLORS = colormaps["tab10"].colors  # type: ignore[attr-defined]  # a ListedColormap


def accuracy_against_cost(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draws the test error against the seconds of training, both on a logarithmic scale.

    Args:
        rows: one a recipe: `recipe`, `seconds`, `weights`, and `accuracy` with `accuracy_low` and `accuracy_high`.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for color, row in zip(_colors(len(rows)), rows, strict=True):
        error, low, high = (1 - row[name] for name in ("accuracy", "accuracy_high", "accuracy_low"))
        error = max(error, 0.5 * high)  # a logarithmic scale has no 0
        axes.errorbar(
            row["seconds"], error, [[max(0, error - low)], [high - error]], fmt="o", color=color, capsize=3, zorder=3
        )
        axes.annotate(
            f"{row['recipe']}\n{row['weights']:,} weights",
            (row["seconds"], error),
            xytext=(7, 3),
            textcoords="offset points",
            fontsize=8,
            bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1},
        )
    axes.set(
        xscale="log",
        xlabel="seconds of training",
        ylabel="test images read wrongly, with 95 % intervals",
        title="down and left is better",
    )
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.margins(x=0.25)
    _show_errors(axes)
    return figure


def learning_curves(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Draws the validation error after each epoch, all recipes in one plot.

    Args:
        histories: recipe -> rows with `epoch` and `val_accuracy`.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for color, (name, history) in zip(_colors(len(histories)), histories.items(), strict=True):
        errors = [max(1 - row["val_accuracy"], 1e-4) for row in history]
        axes.plot([row["epoch"] for row in history], errors, color=color, label=name, marker=".", linewidth=1.2)
    axes.set(xlabel="epoch", ylabel="validation images read wrongly")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _show_errors(axes)
    axes.legend(fontsize=8)
    return figure


def hard_images(images: np.ndarray, captions: Sequence[str], *, total: int, recipes: int) -> Figure:
    """Draws the test images that every recipe reads wrongly, or the first of them.

    Args:
        images: uint8 `[N, H, W, C]`.
        captions: N texts.
        total: number of such images.
        recipes: number of recipes.
    """
    count = f"{len(images)} of {total}" if len(images) < total else str(total)
    return style.gallery(images, captions, title=f"{count} that all {recipes} recipes miss")


def _show_errors(axes: Axes) -> None:
    """Sets a logarithmic scale of errors in percent."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="both", color="0.92")


def _colors(count: int) -> list[Any]:
    return [COLORS[place % len(COLORS)] for place in range(count)]

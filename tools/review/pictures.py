"""The pictures of a review: curves and confusion of both runs, and images that one of them alone reads rightly."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from digits.reporting import results, style
from digits.splits.split import Split
from tools.review.figures import right
from tools.review.side import Rows, Side

SHOWN = 16  # images that one run alone reads rightly, at most
BASE, THIS = style.TRAINING, style.VALIDATION  # colours of the two runs


def pictures(base: Side, this: Side, test: Split | None) -> style.Pictures:
    """Draws what both runs have.

    Args:
        base: the run to compare with.
        this: the other one.
        test: the images of the predictions; None if they are not at hand, or not those of both.
    """
    drawn: style.Pictures = {}
    if base.history and this.history:
        drawn["curves"] = curves(base.name, base.history, this.name, this.history)
    for key, side in (("confusion_base", base), ("confusion_this", this)):
        if side.predictions:
            classes = sorted({row["actual"] for row in side.predictions})
            figure = drawn[key] = results.confusion(confusion(side.predictions, classes), classes)
            figure.axes[0].set_title(f"{side.name}: {figure.axes[0].get_title()}")
    if base.predictions and this.predictions and test is not None:
        first, second = right(base.predictions), right(this.predictions)
        for name, chosen, title in (
            ("gained", np.flatnonzero(second & ~first), f"read rightly by {this.name} alone"),
            ("lost", np.flatnonzero(first & ~second), f"read rightly by {base.name} alone"),
        ):
            if len(chosen):
                drawn[name] = _gallery(test, chosen, base.predictions, this.predictions, title)
    return drawn


def _gallery(test: Split, chosen: np.ndarray, base: Rows, this: Rows, title: str) -> Figure:
    shown = chosen[:SHOWN]
    captions = [f"{base[i]['actual']}: {base[i]['predicted']} → {this[i]['predicted']}" for i in shown]
    count = f"{len(shown)} of {len(chosen)}" if len(shown) < len(chosen) else str(len(chosen))
    return style.gallery(test.images[shown], captions, title=f"{count} {title}")


def curves(base: str, base_history: Rows, this: str, this_history: Rows) -> Figure:
    """Draws loss and accuracy on the validation split after each epoch, and those while training, dashed."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for name, history, colour in ((base, base_history, BASE), (this, this_history, THIS)):
            epochs = [row["epoch"] for row in history]
            axes.plot(epochs, [row[f"val_{metric}"] for row in history], color=colour, marker=".", label=name)
            axes.plot(epochs, [row[metric] for row in history], color=colour, linestyle="--", linewidth=0.8)
        axes.set(title=f"{metric}: validation (solid), training (dashed)", xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=True, color="0.92")
        axes.legend()
    return figure


def confusion(predictions: Rows, classes: Sequence[str]) -> np.ndarray:
    """Counts the predictions, int `[classes, classes]`, rows actual, columns predicted."""
    numbers = {name: number for number, name in enumerate(classes)}
    matrix = np.zeros((len(classes), len(classes)), int)
    for row in predictions:
        if row["predicted"] in numbers:  # a class that the test split has not
            matrix[numbers[row["actual"]], numbers[row["predicted"]]] += 1
    return matrix

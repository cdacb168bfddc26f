"""Figures of a training: loss, accuracy and learning rate over the epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from digits.reporting import style


def pictures(history: Sequence[Mapping[str, Any]]) -> style.Pictures:
    """Draws the training curves."""
    return {"training_curves": training_curves(history)}


def training_curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """Draws loss and accuracy of training and validation, and the learning rate, over the epochs."""
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    loss, accuracy, rate = figure.subplots(1, 3)
    epochs = [row["epoch"] for row in history]
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        axes.plot(epochs, [row[name] for row in history], color=style.TRAINING, label="training (as distorted)")
        axes.plot(epochs, [row[f"val_{name}"] for row in history], color=style.VALIDATION, label="validation")
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

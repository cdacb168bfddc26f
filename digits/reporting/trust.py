"""Figures of confidence thresholds and of robustness to distortions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from digits.reporting import style

Rows = Sequence[Mapping[str, Any]]


def pictures(
    trade_off: Rows, sure: float, stress: Rows, stressed: Mapping[str, np.ndarray], classes: list[str]
) -> style.Pictures:
    """Draws the trade-off of refusals, the accuracy under distortions, and misread images.

    Args:
        trade_off: rows of `digits.metrics.decision.trade_off`.
        sure: the confidence threshold of a sure answer.
        stress: rows of `digits.evaluation.robustness.under_stress`.
        stressed: `examples`, an image under each of these distortions; if present, the arrays of
            `digits.evaluation.robustness.misread`.
        classes: the names of the classes in the order of their labels.
    """
    captions = [f"{row['distortion']}\n{row['strength']:g}" for row in stress]
    answers = zip(stressed.get("misread_labels", ()), stressed.get("misread_answers", ()), strict=True)
    misread = [f"{classes[label]}, read as {classes[answer]}" for label, answer in answers]
    images = stressed.get("misread_images", np.zeros((0, 1, 1, 1), np.uint8))
    return {
        "refusal": refusal(trade_off, sure),
        "robustness": robustness(stress),
        "stressed": style.gallery(stressed["examples"], captions, title="the distortions", columns=9),
        "misread": style.gallery(
            images, misread, title="other people's digits, misread" if misread else "none misread"
        ),
    }


def refusal(rows: Sequence[Mapping[str, float]], sure: float) -> Figure:
    """Draws refused and wrong answers by threshold, and against each other, on the validation split.

    Args:
        rows: of `digits.metrics.decision.trade_off`.
        sure: the chosen threshold.
    """
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    thresholds, refused, error = ([row[name] for row in rows] for name in ("threshold", "refused", "error"))
    low, high = ([row[name] for row in rows] for name in ("error_low", "error_high"))
    left.plot(thresholds, refused, color=style.TRAINING, label="refused")
    left.plot(thresholds, error, color=style.VALIDATION, label="wrong among the answered")
    left.axvline(sure, color="0.4", linestyle="--", linewidth=1, label=f"chosen: {sure:.3f}")
    left.set(xlabel="confidence from which on an answer is sure", ylabel="share")
    left.set_yscale("symlog", linthresh=1e-3)
    left.set_ylim(0, 1)
    left.legend(loc="upper left")
    right.fill_between(refused, low, high, color=style.VALIDATION, alpha=0.2, linewidth=0, label="95 % interval")
    right.plot(refused, error, color=style.VALIDATION)
    right.set(xlabel="refused", ylabel="wrong among the answered", xlim=(0, min(1.0, max(refused[-1], 0.01))))
    right.xaxis.set_major_locator(MaxNLocator(5))
    right.legend()
    left.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    for axis in (right.xaxis, right.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=None))
    figure.suptitle('when to say "not sure" (validation split)')
    return figure


def robustness(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draws the accuracy under each distortion, at three strengths.

    Args:
        rows: of `digits.evaluation.robustness.under_stress`.
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
            color = "white" if value < 0.6 or value > 0.97 else "black"  # white on a dark background
            axes.text(place, row, f"{value:.1%}", ha="center", va="center", fontsize=8, color=color)
        axes.set_xticks(range(len(levels)), levels)
        axes.set_yticks(range(len(names)), names)
        axes.set_title(titles[column], fontsize=10)
    return figure

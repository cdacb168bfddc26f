"""The headline figures of two runs, each with a verdict: better, worse, or within chance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from compare.statistics import mcnemar
from digits.core import files
from digits.metrics.intervals import wilson_interval
from tools.review.side import Side

Verdict = Literal["better", "worse", "no clear difference", "unclear", "not comparable"]

# 1: more is better; -1: less is.
GOOD = {
    "accuracy": 1,
    "val_accuracy": 1,
    "loss": -1,
    "ece": -1,
    "refused": -1,
    "wrong_when_sure": -1,
    "drawings": 1,
    "scikit_learn": 1,
    "photographs": 1,
    "no_digits_refused": 1,
    "weights": -1,
    "int8_agreement": 1,
    "int8_bytes": -1,
}
COUNTS = ("weights", "int8_bytes")  # known exactly
SHARES = GOOD.keys() - {"loss", "ece", *COUNTS}  # of a number of images
OF_ANY_DATA = {
    *COUNTS,
    "drawings",
    "scikit_learn",
    "photographs",
    "no_digits_refused",
}  # not measured on the dataset's own splits
SEEDED = {"accuracy": "test_accuracy", "loss": "test_loss", "ece": "test_ece"}  # as `make bench` calls them
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Figure:
    """One figure of both runs.

    Attributes:
        name: its key in `metrics/headline.json`.
        base: its value in the run to compare with; None if it has none.
        this: in the other run.
        base_interval: of 95 %; None where there is none.
        this_interval: the same.
        verdict: about the difference.
        reason: for the verdict, in a few words.
    """

    name: str
    base: float | None
    this: float | None
    base_interval: tuple[float, float] | None
    this_interval: tuple[float, float] | None
    verdict: Verdict
    reason: str

    @property
    def worsening(self) -> float:
        """How much worse it became, counts as a share, others in their own unit; below 0 if it became better."""
        if self.base is None or self.this is None:
            return math.nan
        worsening = (self.base - self.this) * GOOD[self.name]
        worsening = worsening / self.base if self.name in COUNTS else worsening
        return round(worsening, files.DECIMALS)  # as the figures are written: 0.99 - 0.989 is not more than 0.001


def compared(base: Side, this: Side) -> list[Figure]:
    """Returns the figures that either run has, in the order of the headline."""
    return [_compare(name, base, this) for name in GOOD if name in base.headline or name in this.headline]


def _compare(name: str, base: Side, this: Side) -> Figure:
    values = base.headline.get(name), this.headline.get(name)
    intervals = _interval(name, base), _interval(name, this)
    return Figure(name, *values, *intervals, *_verdict(name, base, this))


def _interval(name: str, side: Side) -> tuple[float, float] | None:
    value, total = side.headline.get(name), side.totals.get(name)
    if name not in SHARES or value is None or not total:
        return None
    return wilson_interval(round(value * total), total)


def _verdict(name: str, base: Side, this: Side) -> tuple[Verdict, str]:
    first, second = base.headline.get(name), this.headline.get(name)
    if first is None or second is None:
        return "not comparable", f"{base.name if first is None else this.name} has no such figure"
    if not base.same_data(this) and name not in OF_ANY_DATA:
        return "not comparable", "other data or another split"
    if first == second:
        return "no clear difference", "the same"
    direction: Verdict = "better" if (second - first) * GOOD[name] > 0 else "worse"
    if name in COUNTS:
        return direction, f"{second / first - 1:+.1%}"
    for judge in (_on_same_images, _over_seeds, _of_shares):
        if judged := judge(name, base, this):
            clear, reason = judged
            return (direction if clear else "no clear difference"), reason
    return "unclear", "no measure of chance here: make bench gives the spread over seeds"


def _on_same_images(name: str, base: Side, this: Side) -> tuple[bool, str] | None:
    """Tests the test split's predictions, image by image, if both runs have them."""
    if name not in ("accuracy", "loss") or base.predictions is None or this.predictions is None:
        return None
    if name == "accuracy":
        first, second = right(base.predictions), right(this.predictions)
        gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
        p_value = mcnemar(first, second)
        return p_value < SIGNIFICANT, f"{gained} images gained, {lost} lost (McNemar: p = {p_value:.2g})"
    difference = losses(this.predictions) - losses(base.predictions)
    margin = 1.96 * float(difference.std(ddof=1)) / math.sqrt(len(difference))
    mean = float(difference.mean())
    return abs(mean) > margin, f"{mean:+.4f} ± {margin:.4f} over the same images"


def right(predictions: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Returns whether each image is read rightly, bool `[N]`."""
    return np.array([row["actual"] == row["predicted"] for row in predictions])


def losses(predictions: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Returns the cross-entropy of each image, float `[N]`."""
    return np.array([row["loss"] for row in predictions])


def _over_seeds(name: str, base: Side, this: Side) -> tuple[bool, str] | None:
    """Compares with the spread over seeds, if both runs' recipes have one."""
    key = SEEDED.get(name)
    if not key or not base.seeds or not this.seeds or key not in base.seeds or key not in this.seeds:
        return None
    spread = math.hypot(base.seeds[key]["sd"], this.seeds[key]["sd"])
    difference = this.headline[name] - base.headline[name]
    return abs(difference) > 2 * spread, f"two standard deviations over seeds are {2 * spread:.4f}"


def _of_shares(name: str, base: Side, this: Side) -> tuple[bool, str] | None:
    """Tests two proportions by R. Newcombe's interval of their difference (method 10, 1998).

    It takes the two sets of images for different ones, so on the same images it is careful: it finds too few
    differences, not too many.
    """
    base_interval, this_interval = _interval(name, base), _interval(name, this)
    if not base_interval or not this_interval:
        return None
    first, second = base.headline[name], this.headline[name]
    (low1, high1), (low2, high2) = base_interval, this_interval
    difference = second - first
    low = difference - math.hypot(second - low2, high1 - first)
    high = difference + math.hypot(high2 - second, first - low1)
    return low > 0 or high < 0, f"95 % interval of the difference {low:+.2%} to {high:+.2%}"

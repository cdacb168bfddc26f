"""Confidence thresholds: from where on an answer is "sure", and below which it is "not one of the classes"."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from digits.metrics.intervals import wilson_interval

NEVER = 1.000001  # a threshold that no confidence reaches
POINTS = 101  # of the trade-off


@dataclass(frozen=True)
class Decision:
    """From which confidence on an answer is given.

    Attributes:
        sure: below it the answer is "not sure".
        known: below it, which is not above `sure`, the answer is that this is none of the classes.
    """

    sure: float
    known: float

    def __call__(self, confidence: float) -> str:
        """`sure`, `not sure` or `unknown`."""
        if confidence < self.known:
            return "unknown"
        return "sure" if confidence >= self.sure else "not sure"

    def as_dict(self) -> dict[str, float]:
        """For a JSON file."""
        return asdict(self)


def decide(
    labels: np.ndarray, probabilities: np.ndarray, *, max_error_when_sure: float, max_rejected: float
) -> Decision:
    """The thresholds that validation examples call for.

    Args:
        labels: int `[N]`.
        probabilities: float `[N, classes]`, calibrated.
        max_error_when_sure: `sure` is the lowest confidence from which on at most this share of the answers is wrong.
        max_rejected: `known` is the highest confidence below which at most this share of the examples lies.
    """
    # With as many decimals as files keep, downwards: what passes a threshold here does so when it was read again.
    confidence = np.floor(probabilities.max(axis=1).astype(np.float64) * 1e6) / 1e6
    wrong = probabilities.argmax(axis=1) != labels
    order = np.argsort(-confidence, kind="stable")
    errors = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    ends = np.append(np.diff(confidence[order]) != 0, True)  # equal confidences are answered together or not at all
    allowed = np.flatnonzero((errors <= max_error_when_sure) & ends)
    sure = float(confidence[order][allowed[-1]]) if allowed.size else NEVER
    least = float(np.sort(confidence)[int(max_rejected * len(confidence))])
    return Decision(sure=sure, known=min(least, sure))


def consequences(decision: Decision, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """What the thresholds do to labelled examples.

    Returns:
        The thresholds; `refused`, the share that gets no sure answer; `unknown`, that which is taken for none of the
        classes; and `error`, the share of wrong ones among the sure answers.
    """
    confidence = probabilities.max(axis=1)
    answered = confidence >= decision.sure
    wrong = probabilities.argmax(axis=1) != labels
    return {
        **decision.as_dict(),
        "refused": float(1 - answered.mean()),
        "unknown": float((confidence < decision.known).mean()),
        "error": float(wrong[answered].mean()) if answered.any() else 0.0,
    }


def trade_off(
    labels: np.ndarray, probabilities: np.ndarray, thresholds: Sequence[float] | None = None
) -> list[dict[str, Any]]:
    """What refusing the less confident answers costs and brings: a row for each threshold.

    Returns:
        `threshold`; `refused`, the share of the examples below it; `error`, the share of wrong ones among the others;
        the latter's 95 % Wilson interval, `error_low` and `error_high`.
    """
    confidence = probabilities.max(axis=1)
    wrong = probabilities.argmax(axis=1) != labels
    rows = []
    for threshold in np.linspace(0, 1, POINTS)[:-1] if thresholds is None else thresholds:
        answered = confidence >= threshold
        if not answered.any():
            break
        errors, count = int(wrong[answered].sum()), int(answered.sum())
        low, high = wilson_interval(errors, count)
        interval = {"error_low": low, "error_high": high}
        rows.append(
            {"threshold": float(threshold), "refused": 1 - count / len(labels), "error": errors / count, **interval}
        )
    return rows

"""Confidence thresholds for the verdicts "not sure" and "unknown"."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from digits.metrics.intervals import wilson_interval

NEVER = 1.000001  # a threshold that no confidence reaches
POINTS = 101  # of the trade-off


@dataclass(frozen=True)
class Decision:
    """The confidence thresholds of a model.

    Attributes:
        sure: an answer with this confidence or more is "sure", below it "not sure".
        known: below it the answer is "unknown", probably none of the classes; at most `sure`.
    """

    sure: float
    known: float

    def __call__(self, confidence: float) -> str:
        """Returns `sure`, `not sure` or `unknown`."""
        if confidence < self.known:
            return "unknown"
        return "sure" if confidence >= self.sure else "not sure"

    def as_dict(self) -> dict[str, float]:
        """Returns the thresholds by name, for a JSON file."""
        return asdict(self)


def decide(
    labels: np.ndarray,
    probabilities: np.ndarray,
    *,
    max_error_when_sure: float,
    min_refused: float,
    max_rejected: float,
) -> Decision:
    """Chooses the thresholds on validation examples.

    Args:
        labels: int `[N]`.
        probabilities: float `[N, classes]`, calibrated.
        max_error_when_sure: `sure` is the lowest threshold at which at most this share of the sure answers is wrong;
        min_refused: but not lower than the highest below which at most this share of the examples lies: where the
            examples alone hardly need a threshold, images of none of the classes do.
        max_rejected: `known` is the highest threshold below which at most this share of the examples lies.
    """
    # Rounded down to the decimals of the JSON files, so that a threshold means the same after it is read again.
    confidence = np.floor(probabilities.max(axis=1).astype(np.float64) * 1e6) / 1e6
    wrong = probabilities.argmax(axis=1) != labels
    order = np.argsort(-confidence, kind="stable")
    errors = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    ends = np.append(np.diff(confidence[order]) != 0, True)  # equal confidences lie on the same side of a threshold
    allowed = np.flatnonzero((errors <= max_error_when_sure) & ends)
    sure = float(confidence[order][allowed[-1]]) if allowed.size else NEVER
    ascending = np.sort(confidence)
    sure = max(sure, float(ascending[int(min_refused * len(ascending))]))
    return Decision(sure=sure, known=min(float(ascending[int(max_rejected * len(ascending))]), sure))


def consequences(decision: Decision, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Measures the thresholds on labelled examples.

    Returns:
        The thresholds; `refused`, the share of examples without a sure answer; `unknown`, the share below `known`; and
        `error`, the share of wrong ones among the sure answers.
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
    """Measures the error against the share of refused answers: one row per threshold.

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

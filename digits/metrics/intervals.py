"""Confidence intervals of shares."""

from scipy.stats import binomtest


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share, E. B. Wilson (1927): it stays within 0 to 1, also for all or none correct."""
    interval = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)

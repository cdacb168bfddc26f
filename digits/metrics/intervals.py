"""Confidence intervals of proportions."""

from scipy.stats import binomtest


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """Returns the 95 % Wilson interval of a proportion (1927), within 0 to 1 even for all or none correct."""
    interval = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)

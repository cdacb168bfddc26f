"""Significance tests between classifiers on the same images."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binomtest


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the exact two-sided p-value of McNemar's test (https://doi.org/10.1007/BF02295996).

    Only images that exactly one of the two gets right count: if both were equally good, either would get such an
    image right with probability 1/2.

    Args:
        first: bool `[N]`, whether the first is right.
        second: bool `[N]`, whether the second is right.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    if not only_first + only_second:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts the p-values of several tests by the method of S. Holm (1979).

    With adjusted p-values below 0.05 called significant, the probability of any false positive is at most 5 %.
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = largest
    return adjusted


def pairwise(correct: Mapping[str, np.ndarray]) -> dict[tuple[str, str], float]:
    """Returns the adjusted p-value of each pair.

    Args:
        correct: name -> bool `[N]`, whether it is right.
    """
    names = list(correct)
    pairs = [(one, other) for index, one in enumerate(names) for other in names[index + 1 :]]
    p_values = [mcnemar(correct[one], correct[other]) for one, other in pairs]
    return dict(zip(pairs, holm(p_values), strict=True))

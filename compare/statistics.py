"""Do two classifiers really differ? Answers from what they did on the same images."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binomtest


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """The exact two-sided p-value of McNemar's test (https://doi.org/10.1007/BF02295996).

    Only the images that one of the two gets right and the other wrong tell: were the two equally good, each of these
    would be a fair coin's toss.

    Args:
        first: bool `[N]`, where the first is right.
        second: bool `[N]`, where the second is.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    if not only_first + only_second:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several tests made at once, adjusted by the method of S. Holm (1979).

    Who calls those below 0.05 different makes even one false call in fewer than 5 % of such families.
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = largest
    return adjusted


def pairwise(correct: Mapping[str, np.ndarray]) -> dict[tuple[str, str], float]:
    """The adjusted p-value of each two.

    Args:
        correct: name -> bool `[N]`, where it is right.
    """
    names = list(correct)
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    p_values = [mcnemar(correct[one], correct[other]) for one, other in pairs]
    return dict(zip(pairs, holm(p_values), strict=True))

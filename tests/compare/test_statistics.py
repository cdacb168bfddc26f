import numpy as np
import pytest
from scipy.stats import binom

from compare import statistics


def right(*places):
    correct = np.zeros(20, dtype=bool)
    correct[list(places)] = True
    return correct


def test_mcnemar_by_hand():
    # 1 against 7 discordant images: twice the chance of at most one head in eight tosses.
    first, second = right(0, 10, 11), right(1, 2, 3, 4, 5, 6, 7, 10, 11)
    assert statistics.mcnemar(first, second) == pytest.approx(2 * binom.cdf(1, 8, 0.5))


def test_mcnemar_looks_at_what_they_disagree_on_only():
    first, second = right(0, 10, 11, 12), right(1, 2, 3, 10, 11, 12)
    both = np.concatenate([first, np.ones(1000, dtype=bool)]), np.concatenate([second, np.ones(1000, dtype=bool)])
    assert statistics.mcnemar(*both) == statistics.mcnemar(first, second)


@pytest.mark.parametrize("same", [right(), right(1, 2)])
def test_two_alike_do_not_differ(same):
    assert statistics.mcnemar(same, same) == 1


def test_mcnemar_is_symmetric():
    assert statistics.mcnemar(right(1, 2, 3), right(4)) == statistics.mcnemar(right(4), right(1, 2, 3))


def test_holm_by_hand():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_holm_stays_a_probability_and_keeps_the_order():
    values = list(np.random.default_rng(0).uniform(0, 0.2, 30))
    adjusted = statistics.holm(values)
    assert max(adjusted) <= 1
    assert all(one >= other for one, other in zip(adjusted, values, strict=True))
    assert np.all(np.diff(np.array(adjusted)[np.argsort(values)]) >= 0)


def test_each_two_once():
    p_values = statistics.pairwise({"a": right(1), "b": right(2), "c": right(3)})
    assert list(p_values) == [("a", "b"), ("a", "c"), ("b", "c")]

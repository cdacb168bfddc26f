import numpy as np
import pytest
from scipy.stats import binomtest

from digits.metrics import intervals, scoring


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [(9940, 10000, 0.992279, 0.995340), (0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0), (5, 10, 0.236593, 0.763407)],
)
def test_the_wilson_interval_is_the_published_formula(correct, total, low, high):
    # Values of the closed form in Wilson (1927) with z = 1.959964, by hand.
    labels = np.zeros(total, int)
    probabilities = np.zeros((total, 2), np.float32)
    probabilities[:correct, 0] = 1
    probabilities[correct:, 1] = 1
    summary = scoring.summarize(labels, probabilities, ["a", "b"])
    z, share = 1.959964, correct / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    assert summary["accuracy_low"] == pytest.approx(centre - half, abs=1e-6)
    assert summary["accuracy_high"] == pytest.approx(centre + half, abs=1e-6)
    assert (summary["accuracy_low"], summary["accuracy_high"]) == (
        pytest.approx(low, abs=1e-5),
        pytest.approx(high, abs=1e-5),
    )


@pytest.mark.parametrize("total", [1, 2, 3, 100, 10000])
def test_it_is_that_of_scipy(total):
    for correct in {0, 1, total // 3, total - 1, total}:
        expected = binomtest(correct, total).proportion_ci(0.95, method="wilson")
        assert intervals.wilson_interval(correct, total) == pytest.approx((expected.low, expected.high), abs=1e-12)

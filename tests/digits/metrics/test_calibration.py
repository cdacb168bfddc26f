import numpy as np
import pytest
from scipy.special import softmax

from digits.metrics import calibration, scoring


def forecasts(count=20000, classes=5, seed=0):
    """Labels that come up as often as the probabilities say, and the logits of these."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (count, classes))
    chances = softmax(logits, axis=1).cumsum(axis=1)
    return (generator.random((count, 1)) > chances).sum(axis=1).clip(max=classes - 1), logits


@pytest.mark.parametrize("true", [0.4, 1.0, 2.5])
def test_the_temperature_is_what_the_logits_were_multiplied_by(true):
    labels, logits = forecasts()
    assert calibration.temperature(labels, softmax(logits * true, axis=1)) == pytest.approx(true, rel=0.04)


def test_heating_by_it_calibrates():
    labels, logits = forecasts()
    boastful = softmax(3 * logits, axis=1).astype(np.float32)
    honest = calibration.apply_temperature(boastful, calibration.temperature(labels, boastful))
    before, after = (scoring.calibration_error(scoring.reliability(labels, given)) for given in (boastful, honest))
    assert before > 0.1
    assert after < 0.02
    np.testing.assert_array_equal(honest.argmax(axis=1), boastful.argmax(axis=1))


def test_heated_is_the_softmax_of_divided_logits():
    logits = np.random.default_rng(0).normal(size=(7, 4))
    np.testing.assert_allclose(
        calibration.apply_temperature(softmax(logits, axis=1), 1.7), softmax(logits / 1.7, axis=1), rtol=1e-12
    )


def test_a_probability_of_zero_stays_a_number():
    certain = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    for temperature in (calibration.MIN_TEMPERATURE, 1, calibration.MAX_TEMPERATURE):
        scaled = calibration.apply_temperature(certain, temperature)
        assert np.isfinite(scaled).all()
        np.testing.assert_allclose(scaled.sum(axis=1), 1)
    assert calibration.temperature(np.array([0, 1]), certain) >= calibration.MIN_TEMPERATURE
    assert calibration.temperature(np.array([1, 0]), certain) == pytest.approx(calibration.MAX_TEMPERATURE, rel=0.01)


@pytest.mark.parametrize("count", [2, 140])
@pytest.mark.parametrize("confidence", [0.6, 0.9999])
def test_without_a_misread_example_one_is_assumed(count, confidence):
    probabilities = np.tile([[confidence, 1 - confidence]], (count, 1))
    labels = np.zeros(count, int)
    scaled = calibration.apply_temperature(probabilities, calibration.temperature(labels, probabilities))
    assert scaled[0, 0] == pytest.approx((count + 1) / (count + 2), abs=1e-3)

import numpy as np
import pytest

from digits.core.errors import UserError
from digits.evaluation import test_split
from digits.metrics import scoring
from tests.conftest import make_split

CLASSES = ["a", "b", "c"]


def network(images):
    """Sees which third is bright, and doubts it where the image's first pixel is even."""
    bright = np.stack([images[:, :, 2 * label : 2 * label + 3].mean(axis=(1, 2, 3)) for label in range(3)], axis=1)
    sure = np.where(images[:, :1, 0, 0] % 2, 0.9, 0.5)
    one_hot = np.eye(3)[bright.argmax(axis=1)]
    return (one_hot * sure + (1 - one_hot) * (1 - sure) / 2).astype(np.float32)


@pytest.fixture
def report():
    return test_split.evaluate(
        network,
        make_split(20, seed=1),
        make_split(10, seed=2),
        recipe="bars",
        dataset="thirds",
        classes=CLASSES,
        temperature=2.0,
        promises={"max_error_when_sure": 0.0, "min_refused": 0.0, "max_rejected": 0.0},
    )


def test_the_figures_are_of_the_test_split(report):
    assert report.test_metrics["total"] == len(report.predictions) == len(report.probabilities) == 30
    assert report.validation_metrics["total"] == 60
    assert list(report.metrics)[-2:] == ["ece_uncalibrated", "decision"]
    assert [row["class"] for row in report.per_class] == CLASSES


def test_the_thresholds_are_of_the_validation_split(report):
    least = network(make_split(20, seed=1).images).max(axis=1).min()
    assert report.metadata.decision.known == pytest.approx(least, abs=1e-6)
    assert report.metrics["decision"]["known"] == report.metadata.decision.known
    assert report.metadata.image_shape == (8, 8, 1)


def test_the_temperature_is_taken_out_again(report):
    test = make_split(10, seed=2)
    logits = 2.0 * np.log(network(test.images))  # the model divided them by its temperature
    plain = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = scoring.calibration_error(scoring.reliability(test.labels, plain))
    assert report.ece_uncalibrated == pytest.approx(expected, abs=1e-6)
    assert report.ece_uncalibrated != pytest.approx(report.test_metrics["ece"], abs=1e-3)


def test_the_gate_is_that_of_the_dataset(report, capsys):
    test_split.check_gate(report, {"thirds": 0.0, "others": 1.0})
    assert capsys.readouterr().out == ""
    test_split.check_gate(report, {})
    assert capsys.readouterr().out == "no gate: evaluate.min_accuracy.bars.thirds is not set\n"
    with pytest.raises(
        UserError, match=r"is below evaluate\.min_accuracy\.bars\.thirds = 1\.1; see metrics/test\.json"
    ):
        test_split.check_gate(report, {"thirds": 1.1})

import numpy as np
import pytest
import sklearn.metrics

from digits.metrics import scoring

CLASSES = ["a", "b", "c"]


@pytest.fixture(scope="module")
def predicted():
    """600 labels and probabilities that are right about 70 % of the time."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 600)
    logits = generator.normal(size=(600, 3))
    logits[np.arange(600), labels] += 1.2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, probabilities.astype(np.float32)


def test_against_scikit_learn(predicted):
    labels, probabilities = predicted
    summary = scoring.summarize(labels, probabilities, CLASSES)
    guesses = probabilities.argmax(axis=1)
    normalized = probabilities / probabilities.sum(axis=1, keepdims=True, dtype=float)
    assert summary["accuracy"] == sklearn.metrics.accuracy_score(labels, guesses)
    assert summary["loss"] == pytest.approx(sklearn.metrics.log_loss(labels, normalized), rel=1e-5)
    report = sklearn.metrics.classification_report(labels, guesses, target_names=CLASSES, output_dict=True)
    for name in CLASSES:
        for mine, theirs in (
            ("precision", "precision"),
            ("recall", "recall"),
            ("f1", "f1-score"),
            ("support", "support"),
        ):
            assert summary["per_class"][name][mine] == pytest.approx(report[name][theirs])
    assert summary["correct"] == (guesses == labels).sum()
    assert summary["total"] == 600


def test_a_class_that_never_comes_up_scores_zero():
    summary = scoring.summarize(np.array([0, 1]), np.array([[0.9, 0.1, 0], [0.8, 0.2, 0]]), CLASSES)
    assert summary["per_class"]["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_a_probability_of_zero_for_the_truth_costs_a_finite_loss():
    assert np.isfinite(scoring.losses(np.array([0]), np.array([[0.0, 1.0]], np.float32))).all()


def test_calibration_of_a_perfect_and_of_an_overconfident_forecaster():
    labels = np.array([0] * 8 + [1] * 2)
    honest = np.tile([0.8, 0.2], (10, 1))
    boastful = np.tile([1.0, 0.0], (10, 1))
    assert scoring.calibration_error(scoring.reliability(labels, honest)) == pytest.approx(0)
    assert scoring.calibration_error(scoring.reliability(labels, boastful)) == pytest.approx(0.2)


def test_the_reliability_table_counts_everything_once(predicted):
    rows = scoring.reliability(*predicted, bins=10)
    assert sum(row["count"] for row in rows) == 600
    assert [row["confidence"] for row in rows] == sorted(row["confidence"] for row in rows)
    assert all(row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"] for row in rows)
    correct = sum(row["count"] * row["accuracy"] for row in rows)
    assert correct == pytest.approx((predicted[1].argmax(axis=1) == predicted[0]).sum())


def test_predictions_are_a_row_an_example():
    rows = scoring.predictions(np.array([2, 0]), np.array([[0.1, 0.2, 0.7], [0.25, 0.5, 0.25]]), CLASSES)
    assert [(row["index"], row["actual"], row["predicted"], row["confidence"]) for row in rows] == [
        (0, "c", "c", 0.7),
        (1, "a", "b", 0.5),
    ]
    assert rows[1]["loss"] == pytest.approx(np.log(4))

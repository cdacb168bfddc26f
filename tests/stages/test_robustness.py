import csv
import json
from pathlib import Path

import numpy as np
import pytest

from digits.core import paths
from digits.drawing import strokes
from digits.models import keras_file
from digits.splits import tfrecords
from stages import robustness


@pytest.fixture
def measured(project):
    return json.loads(Path("metrics/robustness.json").read_text())


def test_its_own_training_images_are_no_test(measured):
    # The embedded set is scikit-learn's.
    assert "scikit_learn" not in measured
    assert set(measured) == {"drawings", "no_digits", "photographs", "stress", "stress_framed"}


def test_the_drawings_are_read_as_the_model_reads_them(measured):
    drawings = [drawing for drawing in strokes.read(Path("drawings/test.json")) if drawing.label is not None]
    assert measured["drawings"]["total"] == len(drawings) >= 200
    assert (
        measured["drawings"]["accuracy_low"] < measured["drawings"]["accuracy"] < measured["drawings"]["accuracy_high"]
    )
    assert 0 <= measured["no_digits"]["unknown"] <= measured["no_digits"]["refused"] <= 1


def test_every_distortion_has_three_strengths(measured):
    assert len(measured["stress"]) >= 10
    for part in ("stress", "stress_framed"):
        assert all(list(levels) == ["mild", "medium", "strong"] for levels in measured[part].values())
    with open("plots/robustness.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * len(measured["stress"])
    assert float(rows[0]["accuracy"]) == measured["stress"][rows[0]["distortion"]]["mild"]


def test_an_example_of_each_distortion_and_the_misread(measured):
    with np.load("plots/stressed.npz") as arrays:
        assert arrays["examples"].shape == (3 * len(measured["stress"]), 28, 28, 1)
        probabilities = keras_file.probabilities(keras_file.load(paths.MODEL), arrays["misread_images"])
        np.testing.assert_array_equal(probabilities.argmax(axis=1), arrays["misread_answers"])
        assert (arrays["misread_labels"] != arrays["misread_answers"]).all()


def test_a_model_of_other_classes_meets_the_distortions_only_of_the_first_of_the_test_split(project, set_params):
    set_params("  images: 12", "  images: 1")
    described = json.loads(Path("models/about.json").read_text())
    described["classes"] = [f"class {number}" for number in range(10)]
    Path("models/about.json").write_text(json.dumps(described))
    robustness.main()
    assert set(json.loads(Path("metrics/robustness.json").read_text())) == {"stress"}
    first = tfrecords.read(paths.TFRECORDS, "test").images[0].astype(int)
    with np.load("plots/stressed.npz") as arrays:
        assert np.abs(arrays["examples"][0].astype(int) - first).mean() < 40


def test_damaged_drawings(project, fails):
    Path("drawings/test.json").write_text("{")
    assert "drawings/test.json: holds no drawings" in fails(robustness)

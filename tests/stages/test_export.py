import json
from pathlib import Path

import numpy as np
import pytest

from digits.export import backends
from digits.splits import tfrecords
from stages import export

FILES = ["model.keras", "saved_model", "model.tflite", "model_int8.tflite", "model.onnx"]


def test_each_format_answers_what_keras_answers(project):
    agreement = json.loads(Path("metrics/export.json").read_text())
    assert list(agreement) == FILES
    for name in ("saved_model", "model.tflite", "model.onnx"):
        assert agreement[name]["agreement"] == 1
        assert agreement[name]["max_difference"] < 1e-4
    assert agreement["model_int8.tflite"]["agreement"] > 0.9
    assert agreement["model_int8.tflite"]["bytes"] < agreement["model.keras"]["bytes"]


def test_the_accuracy_of_each_format_lies_beside_the_models(project):
    agreement = json.loads(Path("metrics/export.json").read_text())
    accuracies = json.loads(Path("models/formats.json").read_text())
    assert accuracies == {name: measured["accuracy"] for name, measured in agreement.items()}


@pytest.mark.parametrize("name", FILES)
def test_each_file_runs(project, name):
    images = tfrecords.read(Path("data/tfrecords"), "test").images[:7]
    probabilities = backends.load(Path("models") / name)(images)
    assert probabilities.shape == (7, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_the_card_says_what_the_metrics_say(project):
    card = Path("models/README.md").read_text()
    metrics = json.loads(Path("metrics/test.json").read_text())
    assert f"**{metrics['accuracy']:.2%}**" in card
    for heading in ("Data", "Recipe", "On the test split", "By class", "Beyond the test split", "Limits", "Files"):
        assert f"## {heading}" in card
    assert all(f"`{name}`" in card for name in FILES)


def test_a_missing_model(project, fails):
    Path("models/model.keras").unlink()
    assert "models/model.keras: No such file or directory; run `dvc repro`" in fails(export)

import re

import numpy as np
import pytest

from digits import params
from digits.core import paths
from digits.export import model_card
from digits.models import metadata
from tests.conftest import ROOT
from tests.digits.conftest import about_it, frames

NAMES = ["model.keras", "saved_model", "model.tflite", "model_int8.tflite", "model.onnx"]
DATASET = {"name": "bars", "version": "1.2", "source": "https://example.org", "licence": "CC0"}
AGREEMENT = {
    name: {"agreement": 0.99875, "max_difference": 0.0123, "accuracy": 0.91, "bytes": 123_456} for name in NAMES
}
FIGURES = {
    "data": {"splits": {"train": {"images": 5400}, "validation": {"images": 600}, "test": {"images": 1000}}},
    "train": {"weights": 12345, "epochs": 20, "val_accuracy": 0.987, "temperature": 0.75},
    "test": {
        "accuracy": 0.9,
        "accuracy_low": 0.88,
        "accuracy_high": 0.92,
        "correct": 900,
        "total": 1000,
        "loss": 0.3,
        "ece": 0.01,
        "ece_uncalibrated": 0.05,
        "decision": {"refused": 0.07, "error": 0.002, "unknown": 0.003},
        "per_class": {digit: {"precision": 0.91, "recall": 0.89, "support": 100} for digit in about_it().classes},
    },
    "robustness": {
        "stress": {name: {"mild": 0.9, "medium": 0.8, "strong": 0.7} for name in "abcd"},
        "stress_framed": {
            name: {"mild": 0.9, "medium": 0.8, "strong": strong}
            for name, strong in zip("abcd", (0.5, 0.9, 0.3, 0.4), strict=True)
        },
        "drawings": {"total": 280, "accuracy": 0.95, "accuracy_low": 0.92, "accuracy_high": 0.97, "refused": 0.2},
        "no_digits": {"total": 100, "unknown": 0.3, "refused": 0.8},
    },
}


@pytest.fixture(scope="module")
def recipe():
    return params.load(ROOT / "params.yaml").recipes["fast_cnn"]


@pytest.fixture(scope="module")
def text(recipe):
    return model_card.markdown(about_it(), DATASET, recipe, FIGURES, AGREEMENT)


def test_there_is_an_example_for_each_file_that_is_exported():
    written = {path.name for path in (paths.MODEL, paths.SAVED_MODEL, paths.LITERT, paths.LITERT_INT8, paths.ONNX)}
    assert set(model_card.USE) == written == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_runs_as_it_stands(exported, network, monkeypatch, text, name):
    (code,) = re.findall(rf"`{re.escape(name)}`:\n\n```python\n(.*?)\n```", text, re.DOTALL)
    assert len(code.splitlines()) <= 5
    monkeypatch.chdir(exported / "models")
    namespace = {}
    exec(code, namespace)
    assert tuple(namespace["probabilities"].shape) == (1, 10)
    np.testing.assert_allclose(np.asarray(namespace["probabilities"]).sum(), 1, atol=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_answers_what_the_network_does(exported, network, monkeypatch, name):
    # The same code with an image in place of the black one.
    image = frames(1, seed=4)
    expected = network.predict(image, verbose=0)
    code = model_card.USE[name].format(height=28, width=28, channels=1)
    black = 'np.zeros((1, 28, 28, 1), "uint8")'
    assert black in code
    monkeypatch.chdir(exported / "models")
    namespace = {"image": image}
    exec(code.replace(black, "image"), namespace)
    tolerance = 0.15 if "int8" in name else 1e-5
    np.testing.assert_allclose(np.asarray(namespace["probabilities"]), expected, atol=tolerance)


def test_it_says_what_is_known(text):
    for expected in (
        "# Model card: `tiny` on mnist",
        "28x28x1 pixels",
        "one of 10 classes:\n0, 1, 2, 3, 4, 5, 6, 7, 8, 9.",
        "bars 1.2 (https://example.org; CC0): 5,400 train, 600 validation, 1,000 test images",
        "12,345 weights, 20 epochs, validation accuracy 98.70%",
        "the temperature 0.75, fitted on the validation split",
        "**90.00%**, 95 % interval 88.00% to 92.00% (900 of 1,000)",
        "1.00%; 5.00% before the temperature",
        "below the confidence 0.900 | refuses 7.00%; of the rest 0.20% are wrong",
        "below 0.400 | said of 0.30% |",
        "| 7 | 91.00% | 89.00% | 100 |",
        "drawings made of strokes, 280: 95.00% (95 % interval 92.00% to 97.00%), 20.0% not sure",
        "pictures of no digit, 100: 30.0% are called that, 80.0% get no sure answer",
        "| `model.tflite` | 0.12 | 99.88% | 0.012 | 91.00% |",
    ):
        assert expected in text, expected
    assert "scikit-learn" not in text, "which was not measured"


def test_the_worst_distortions_are_those_after_framing_where_there_is_framing(text, recipe):
    assert "of 4 distortions, the worst when strong: c (30.0%), d (40.0%), a (50.0%)" in text
    unframed = {**FIGURES, "robustness": {"stress": FIGURES["robustness"]["stress"]}}
    other = model_card.markdown(about_it(image_shape=(32, 32, 3)), DATASET, recipe, unframed, AGREEMENT)
    assert "a (70.0%), b (70.0%), c (70.0%)" in other
    assert "drawings made of strokes" not in other
    assert 'np.zeros((1, 32, 32, 3), "uint8")' in other


def test_a_temperature_of_1_was_not_fitted(recipe):
    figures = {**FIGURES, "train": FIGURES["train"] | {"temperature": 1.0}}
    plain = recipe.model_copy(update={"calibrate": False})
    text = model_card.markdown(about_it(), DATASET, plain, figures, AGREEMENT)
    assert "the temperature 1, which was not fitted" in text
    assert "It answers probabilities, which are not calibrated." in text


def test_every_key_of_the_recipe_is_in_a_table(text, recipe):
    for name in type(recipe).model_fields:
        assert f"\n| `{name}` | `" in text


def test_the_tables_are_tables(text):
    # No value may bring a column or a line of its own.
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("|"):
            width = line.count("|")
            assert all(line.count("|") == width for line in lines[number : number + 2] if line.startswith("|"))


def test_the_description_is_read_from_the_file_beside(exported, recipe):
    described = metadata.read(exported / paths.ABOUT)
    assert model_card.markdown(described, DATASET, recipe, FIGURES, AGREEMENT) == model_card.markdown(
        about_it(), DATASET, recipe, FIGURES, AGREEMENT
    )

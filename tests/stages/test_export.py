import json
import platform
import re
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from digits import params
from digits.core import files
from digits.export import backends
from digits.models import provenance
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
    entries = json.loads(Path("models/formats.json").read_text())
    assert list(entries) == ["about.json", *agreement]
    assert {name: entries[name]["accuracy"] for name in agreement} == {
        name: measured["accuracy"] for name, measured in agreement.items()
    }
    assert {name: entry["sha256"] for name, entry in entries.items()} == {
        name: files.sha256(Path("models") / name) for name in entries
    }


@pytest.mark.parametrize("name", FILES)
def test_each_file_says_where_it_comes_from(project, name):
    record = provenance.read(Path("models") / name)
    recipe = params.load().active_recipe
    assert (record["recipe"], record["dataset"], record["seed"]) == ("tiny", "digits", 20)
    assert record["parameters"] == recipe.model_dump()
    training, validation = (tfrecords.read(Path("data/tfrecords"), split) for split in ("train", "validation"))
    assert record["data"] == {"training": training.digest(), "validation": validation.digest()}
    assert record["versions"]["keras"] == keras.__version__
    assert record["processor"]["threads"] == 2
    if name != "model.keras":
        assert record["exported_from"] == files.sha256(Path("models/model.keras"))
    assert not re.search(rf"/|{time.strftime('%Y-%m')}|{platform.node()}", json.dumps(record)), "nothing that changes"


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


def test_a_card_without_a_licence(project, fails):
    card = Path("data/raw/card.json")
    content = json.loads(card.read_text())
    del content["licence"]
    card.write_text(json.dumps(content))
    assert "data/raw/card.json: holds no licence; delete it" in fails(export)


def test_a_model_without_a_record(project, fails):
    keras.models.load_model("models/model.keras").save("models/model.keras")
    assert "models/model.keras: holds no record of its training" in fails(export)

import json

import pytest

from digits.core import files
from digits.core.errors import UserError
from digits.export import inventory


@pytest.fixture
def model(tmp_path):
    """A model with its metadata and an inventory."""
    for name in ("model.tflite", "other.tflite", "about.json"):
        (tmp_path / name).write_text(name)
    inventory.write(tmp_path / "formats.json", {"model.tflite": 0.9})
    return tmp_path / "model.tflite"


def check(model):
    inventory.check(model, model.with_name("about.json"))


def test_what_was_measured_passes(model):
    check(model)
    assert inventory.accuracy(model) == 0.9
    assert json.loads(model.with_name("formats.json").read_text())["model.tflite"] == {
        "sha256": files.sha256(model),
        "accuracy": 0.9,
    }


@pytest.mark.parametrize("name", ["model.tflite", "about.json"])
def test_another_file_is_refused_by_name(model, name):
    changed = model.with_name(name)
    changed.write_text("other")
    with pytest.raises(UserError) as caught:
        check(model)
    assert str(caught.value).startswith(f"{changed}: damaged, or another file than was measured: its sha256 is ")
    assert "--allow" in str(caught.value)


def test_metadata_from_elsewhere_are_compared_too(model, tmp_path):
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("another run's")
    with pytest.raises(UserError, match=r"elsewhere\.json: damaged, or another file"):
        inventory.check(model, elsewhere)


def test_a_file_that_is_not_listed_is_refused(model):
    with pytest.raises(UserError, match=r"other\.tflite: not in .*formats\.json; "):
        check(model.with_name("other.tflite"))


def test_a_folder_without_inventory_is_told(model):
    model.with_name("formats.json").unlink()
    with pytest.raises(UserError, match=r"model\.tflite: nothing says that it is the model that was measured"):
        check(model)
    assert inventory.accuracy(model) is None


@pytest.mark.parametrize("entry", [0.9, None, [], {}, {"sha256": None, "accuracy": "high"}, {"accuracy": 7.0}])
def test_an_entry_that_says_nothing_counts_as_none(model, entry):
    formats = model.with_name("formats.json")
    formats.write_text(json.dumps(json.loads(formats.read_text()) | {"model.tflite": entry}))
    with pytest.raises(UserError, match="not in "):
        check(model)
    assert inventory.accuracy(model) is None


def test_a_missing_model_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        check(tmp_path / "model.tflite")

import json
import shutil
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from digits.core.errors import UserError
from digits.models import keras_file, provenance
from tests.digits.conftest import frames, tiny_network
from tests.fuzz.mutations import flips


def build():
    keras.backend.clear_session()  # numbers the layers' names anew, as in a process of its own
    keras.utils.set_random_seed(1)
    pixels = keras.Input((4, 4, 1), dtype="uint8")
    hidden = keras.layers.Dense(3)(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels)))
    model = keras.Model(pixels, keras.layers.Softmax()(hidden), name="small")
    model.compile(keras.optimizers.AdamW(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((8, 4, 4, 1), np.uint8), np.zeros(8), verbose=0)
    return model


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    path = tmp_path_factory.mktemp("built") / "model.keras"
    model = build()
    keras_file.save(path, model)
    return path, model


@pytest.fixture
def saved(built, tmp_path):
    """A file to damage, and the model in it."""
    path, model = built
    return Path(shutil.copy(path, tmp_path)), model


IMAGES = np.arange(32, dtype=np.uint8).reshape(2, 4, 4, 1)


@pytest.mark.parametrize("load", [keras_file.load, keras.models.load_model], ids=["ours", "Keras alone"])
def test_it_reads_back_with_weights_and_optimiser(saved, load):
    path, model = saved
    read = load(path)
    np.testing.assert_array_equal(read.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0))
    for mine, other in zip(read.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(mine.numpy(), other.numpy())
    assert read.optimizer.iterations.numpy() == 1


def test_the_same_model_is_the_same_bytes(tmp_path, saved, monkeypatch):
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)  # by which a zip archive dates its members
    keras_file.save(tmp_path / "again.keras", build())
    assert (tmp_path / "again.keras").read_bytes() == saved[0].read_bytes()


def test_it_does_not_tell_when_it_was_made(saved):
    with zipfile.ZipFile(saved[0]) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"date" not in archive.read("metadata.json")


@pytest.mark.parametrize("damage", [lambda b: b[:-50], lambda b: b"", lambda b: b"PK nonsense", lambda b: b[:5000]])
def test_a_damaged_file_is_named(saved, damage):
    path, _ = saved
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"model\.keras: not readable as a Keras model .*dvc repro -f train"):
        keras_file.load(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model\.keras"):
        keras_file.load(tmp_path / "model.keras")


@pytest.mark.parametrize("count", [1, 5, 6, 13])
def test_probabilities_are_those_of_predict_to_the_last_bit(monkeypatch, count):
    monkeypatch.setattr(keras_file, "BATCH", 5)
    model, images = tiny_network(), frames(count)
    expected = model.predict(images, batch_size=5, verbose=0)
    np.testing.assert_array_equal(keras_file.probabilities(model, images), expected)


def test_a_changed_bit_is_refused_or_changes_nothing(saved):
    path, model = saved
    content, expected = path.read_bytes(), model.get_weights()
    refused = 0
    for bit, damaged in flips(content, 60):
        path.write_bytes(damaged)
        try:
            found = keras_file.load(path).get_weights()
        except UserError:
            refused += 1
        else:
            for mine, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(mine, other, err_msg=f"bit {bit}")
    assert refused > 30


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_layer(path, change):
    """Rewrites the configuration of the last layer."""
    content = members(path)
    config = json.loads(content["config.json"])
    change(config["config"]["layers"][-1])
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in content.items():
            archive.writestr(name, member)


def test_code_in_a_file_is_not_run(tmp_path):
    pixels = keras.Input((4, 4, 1), dtype="uint8")
    model = keras.Model(pixels, keras.layers.Lambda(lambda values: values + 1)(keras.layers.Flatten()(pixels)))
    model.save(tmp_path / "model.keras")
    with pytest.raises(UserError, match=r"model\.keras: not readable as a Keras model \(.*[Ll]ambda"):
        keras_file.load(tmp_path / "model.keras")


@pytest.mark.parametrize("module", ["os", "subprocess", "builtins", "shutil"])
def test_names_of_other_modules_are_not_called(saved, module):
    path, _ = saved
    name = {"os": "system", "subprocess": "getoutput", "builtins": "eval", "shutil": "rmtree"}[module]
    with_layer(path, lambda layer: layer.update(module=module, class_name=name, registered_name=None))
    with pytest.raises(UserError, match="not readable as a Keras model"):
        keras_file.load(path)


def test_what_is_no_archive_is_not_read_as_an_older_format(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(2000))
    with pytest.raises(UserError, match="not readable as a Keras model"):
        keras_file.load(path)


def test_a_record_goes_along_and_keras_alone_still_reads_the_file(tmp_path, saved):
    model = saved[1]
    record = {"seed": 1, "parameters": {"rate": 0.1}}
    keras_file.save(tmp_path / "recorded.keras", model, record)
    assert provenance.read(tmp_path / "recorded.keras") == record
    for load in (keras_file.load, keras.models.load_model):
        read = load(tmp_path / "recorded.keras")
        np.testing.assert_array_equal(read.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0))

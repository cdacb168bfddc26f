import time
import zipfile

import keras
import numpy as np
import pytest

from digits.core.errors import UserError
from digits.models import keras_file
from tests.digits.conftest import frames, tiny_network


def build():
    keras.backend.clear_session()  # numbers the layers' names anew, as in a process of its own
    keras.utils.set_random_seed(1)
    pixels = keras.Input((4, 4, 1), dtype="uint8")
    hidden = keras.layers.Dense(3)(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels)))
    model = keras.Model(pixels, keras.layers.Softmax()(hidden), name="small")
    model.compile(keras.optimizers.AdamW(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((8, 4, 4, 1), np.uint8), np.zeros(8), verbose=0)
    return model


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.keras"
    model = build()
    keras_file.save(path, model)
    return path, model


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

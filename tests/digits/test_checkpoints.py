import keras
import numpy as np
import pytest

from digits.checkpoints import Checkpoint

HISTORY = [{"epoch": 1, "loss": 0.1 + 0.2}]


def build(seed):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dropout(0.5)])
    optimizer = keras.optimizers.AdamW(0.01)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 4)), verbose=0)
    return model


def state(model):
    return [np.array(variable) for variable in (*model.variables, *model.optimizer.variables)]


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(tmp_path / "checkpoint.npz", identity=["recipe", 1])


def test_everything_comes_back(checkpoint):
    model, other = build(1), build(2)
    checkpoint.save(model, HISTORY)
    assert checkpoint.restore(other) == HISTORY
    for found, expected in zip(state(other), state(model), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_next_random_draw_is_the_same(checkpoint):
    model, other = build(1), build(2)
    checkpoint.save(model, HISTORY)
    checkpoint.restore(other)
    images = np.ones((50, 3), np.float32)
    np.testing.assert_array_equal(model(images, training=True), other(images, training=True))


def test_without_a_file_nothing_changes(checkpoint):
    model = build(1)
    before = state(model)
    assert checkpoint.restore(model) == []
    for found, expected in zip(state(model), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_another_identity_is_another_training(checkpoint, tmp_path):
    checkpoint.save(build(1), HISTORY)
    assert Checkpoint(checkpoint.path, identity=["recipe", 2]).restore(build(2)) == []


def test_a_damaged_file_is_a_fresh_start(checkpoint):
    checkpoint.save(build(1), HISTORY)
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-100])
    assert checkpoint.restore(build(2)) == []


def test_discarding_removes_the_file(checkpoint):
    checkpoint.save(build(1), HISTORY)
    checkpoint.discard()
    checkpoint.discard()
    assert not checkpoint.path.exists()

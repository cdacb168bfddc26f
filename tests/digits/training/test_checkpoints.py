import shutil

import keras
import numpy as np
import pytest

from digits.training import checkpoints
from digits.training.checkpoints import Checkpoint, State
from tests.fuzz.mutations import flips

HISTORY = [{"epoch": 1, "loss": 0.1 + 0.2}]


def build(seed):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dropout(0.5)])
    optimizer = keras.optimizers.AdamW(0.01)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 4)), verbose=0)
    return model


def variables(model):
    return [*model.variables, *model.optimizer.variables]


def state(seed):
    """Of a trained network, and the network."""
    model = build(seed)
    return State(HISTORY, checkpoints.values(variables(model)), checkpoints.values(model.variables)), model


def assert_same(values, expected):
    for one, other in zip(values, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(tmp_path / "checkpoint.npz", identity=["recipe", 1])


def test_everything_comes_back(checkpoint):
    saved, _ = state(1)
    checkpoint.save(saved)
    loaded = checkpoint.load()
    assert loaded.history == HISTORY
    assert_same(loaded.variables, saved.variables)
    assert_same(loaded.best, saved.best)


def test_without_best_weights(checkpoint):
    saved, _ = state(1)
    saved.best = []
    checkpoint.save(saved)
    assert checkpoint.load().best == []


def test_the_next_random_draw_is_the_same(checkpoint):
    saved, model = state(1)
    checkpoint.save(saved)
    other = build(2)
    checkpoints.assign(variables(other), checkpoint.load().variables)
    images = np.ones((50, 3), np.float32)
    np.testing.assert_array_equal(model(images, training=True), other(images, training=True))


def test_values_are_copies():
    model = build(1)
    before = checkpoints.values(model.variables)
    checkpoints.assign(model.variables, [value + 1 for value in before])
    assert_same(checkpoints.values(model.variables), [value + 1 for value in before])


def test_without_a_file_there_is_no_state(checkpoint):
    assert checkpoint.load() == State()


def test_another_identity_is_another_training(checkpoint):
    checkpoint.save(state(1)[0])
    assert Checkpoint(checkpoint.path, identity=["recipe", 2]).load() == State()


@pytest.mark.parametrize("source", ["architectures/strided_cnn.py", "training/checkpoints.py", "core/errors.py"])
def test_an_edit_anywhere_in_the_package_is_another_training(checkpoint, source, tmp_path, monkeypatch):
    package = shutil.copytree(checkpoints.PACKAGE, tmp_path / "digits")
    monkeypatch.setattr(checkpoints, "PACKAGE", package)
    own = Checkpoint(checkpoint.path, identity=["recipe", 1])
    own.save(State(HISTORY))
    assert Checkpoint(own.path, own.identity).load() == State(HISTORY)
    (package / source).write_text((package / source).read_text() + "\n# an edit\n")
    assert Checkpoint(own.path, own.identity).load() == State()


def test_a_damaged_file_is_a_fresh_start(checkpoint):
    checkpoint.save(state(1)[0])
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-100])
    assert checkpoint.load() == State()


def test_members_have_files_and_identities_of_their_own(checkpoint):
    first, second = checkpoint.member(1), checkpoint.member(2)
    assert first.path != second.path
    first.save(state(1)[0])
    first.path.rename(second.path)
    assert second.load() == State()


def test_discarding_removes_the_files_of_all_members_and_no_others(checkpoint, tmp_path):
    for number in (1, 2):
        checkpoint.member(number).save(state(1)[0])
    (tmp_path / "checkpoint_of_another.1.npz").touch()
    checkpoint.discard()
    checkpoint.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint_of_another.1.npz"]


def test_any_damage_is_ignored_with_a_line(checkpoint, capsys):
    checkpoint.save(State(HISTORY, [np.arange(40)]))
    content = checkpoint.path.read_bytes()
    damages = [content[: len(content) // 2], b"", *(damaged for _, damaged in flips(content, 300))]
    for damaged in damages:
        checkpoint.path.write_bytes(damaged)
        assert checkpoint.load() == State()
    lines = capsys.readouterr().out.splitlines()
    expected = f"{checkpoint.path}: damaged, so it is ignored; the training starts from the beginning"
    assert lines == [expected] * len(damages)
    checkpoint.path.write_bytes(content)
    assert checkpoint.load().history == HISTORY

import keras
import numpy as np
import pytest

from digits import params, training
from digits.checkpoints import Checkpoint
from digits.errors import UserError
from tests.conftest import make_split

RECIPE = params.Recipe(
    model=params.FastCnn(architecture="fast_cnn", widths=[8, 8]),
    augmentation=params.Augmentation(rotation=5, zoom=0, shift=0.05, shear=0),
    optimizer=params.Optimizer(name="adamw", weight_decay=0.01),
    schedule=params.OneCycle(name="one_cycle", peak=0.02, warmup=0.2),
    batch_size=16,
    epochs=4,
)


class KilledError(Exception):
    """In place of a signal."""


def train(folder, seed=1, recipe=RECIPE, stop_after=None, monkeypatch=None):
    checkpoint = Checkpoint(folder / "checkpoint.npz", identity=[seed, recipe.model_dump()])
    if stop_after:

        def save_then_stop(self, model, history, save=Checkpoint.save):
            save(self, model, history)
            if len(history) == stop_after:
                raise KilledError

        monkeypatch.setattr(Checkpoint, "save", save_then_stop)
    return training.train(
        recipe,
        make_split(30, seed=0),
        make_split(10, seed=1),
        classes=3,
        seed=seed,
        checkpoint=checkpoint,
        log_dir=folder / "logs",
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole"))


def test_it_learns(result):
    assert result.history[-1]["val_accuracy"] > 0.9
    assert result.history[-1]["loss"] < result.history[0]["loss"] / 2


def test_the_history_has_a_row_an_epoch(result):
    assert [row["epoch"] for row in result.history] == [1, 2, 3, 4]
    assert list(result.history[0]) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert result.history[-1]["learning_rate"] == pytest.approx(0, abs=1e-6)


def test_the_history_is_what_the_model_does(result):
    validation = make_split(10, seed=1)
    loss, accuracy = result.model.evaluate(validation.images, validation.labels, verbose=0)
    assert result.history[-1]["val_loss"] == pytest.approx(loss, rel=1e-5)
    assert result.history[-1]["val_accuracy"] == pytest.approx(accuracy)


def test_the_model_answers_probabilities(result):
    probabilities = result.model.predict(make_split(2, seed=3).images, verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_optimiser_is_kept(result):
    assert result.model.optimizer.iterations.numpy() == 6 * 4


def weights(result):
    return [*result.model.get_weights(), *(np.array(v) for v in result.model.optimizer.variables)]


def assert_same(first, second):
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.history == second.history


def test_the_same_seed_gives_the_same_weights(result, tmp_path):
    assert_same(train(tmp_path), result)


def test_another_seed_gives_others(result, tmp_path):
    assert train(tmp_path, seed=2).history != result.history


@pytest.mark.parametrize("stop_after", [1, 3, 4])
def test_an_interrupted_training_ends_with_the_same_weights(result, tmp_path, monkeypatch, stop_after):
    with pytest.raises(KilledError):
        train(tmp_path, stop_after=stop_after, monkeypatch=monkeypatch)
    monkeypatch.undo()
    assert_same(train(tmp_path), result)


def test_weight_decay_does_what_it_says(tmp_path):
    def norm(decay):
        optimizer = params.Optimizer(name="adamw", weight_decay=decay)
        recipe = RECIPE.model_copy(update={"optimizer": optimizer})
        trained = train(tmp_path / str(decay), recipe=recipe)
        return sum(np.square(kernel).sum() for kernel in trained.model.get_weights() if kernel.ndim > 1)

    assert norm(1.0) < 0.9 * norm(0.0)


def test_a_training_that_diverges_says_so_and_leaves_no_checkpoint(tmp_path):
    wild = RECIPE.model_copy(update={"schedule": params.Constant(name="constant", rate=1e30)})
    with pytest.raises(UserError, match=r"the training diverged in epoch 1 .* lower the recipe's learning rate"):
        train(tmp_path, recipe=wild)
    assert not (tmp_path / "checkpoint.npz").exists()


def test_off_a_terminal_there_is_a_line_an_epoch(tmp_path, capsys):
    train(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == RECIPE.epochs
    assert lines[0].startswith("epoch 1/4  ")
    assert "val_accuracy" in lines[0]


def test_on_a_terminal_there_is_a_progress_bar(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    train(tmp_path)
    assert "6/6" in capsys.readouterr().out


def test_tensorboard_finds_the_curves(tmp_path):
    train(tmp_path)
    assert list((tmp_path / "logs" / "train").glob("events.out.tfevents.*"))
    assert list((tmp_path / "logs" / "validation").glob("events.out.tfevents.*"))


def test_summary(result):
    summary = training.summarize(result)
    assert summary["weights"] == result.model.count_params()
    assert summary["val_accuracy"] == result.history[-1]["val_accuracy"]


def test_only_layers_that_keras_knows(result, tmp_path):
    path = tmp_path / "model.keras"
    result.model.save(path)
    assert isinstance(keras.models.load_model(path, safe_mode=True), keras.Model)

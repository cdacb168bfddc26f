import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from digits import params
from digits.core.errors import UserError
from digits.metrics import calibration
from digits.models import keras_file
from digits.training import losses, trainer
from digits.training.checkpoints import Checkpoint
from tests.conftest import ROOT, make_split

RECIPE = params.Recipe(
    model=params.FastCnn(architecture="fast_cnn", widths=[8, 8], kernel_initializer="glorot_uniform"),
    members=1,
    outlier_share=0,
    calibrate=False,
    validation_fraction=None,
    augmentation=params.Augmentation(rotation=5, zoom=0, shift=0.05, shear=0, weight=0, coarse=0, noise=0),
    loss=params.Loss(labels="integer", label_smoothing=0, reduction="mean"),
    optimizer=params.AdamW(name="adamw", weight_decay=0.01, ema=0),
    schedule=params.OneCycle(name="one_cycle", peak=0.02, warmup=0.2),
    early_stopping=None,
    batch_size=16,
    steps_per_epoch=None,
    epochs=4,
    loop="keras",
)
PLATEAU = params.Plateau(name="plateau", rate=0.02, factor=0.5, patience=1, monitor="val_accuracy")
STOPPING = params.EarlyStopping(monitor="val_accuracy", patience=2, restore_best_weights=True)
MLP = params.Mlp(
    architecture="mlp",
    activation="relu",
    hidden=[params.HiddenLayer(units=8, dropout=0.5)],
    kernel_initializer=params.NormalInitializer(normal=0.1),
)


def variant(**changes):
    return RECIPE.model_copy(update=changes)


class KilledError(Exception):
    """In place of a signal."""


def train(folder, *, seed=1, recipe=RECIPE, stop_after=None, monkeypatch=None, log_dir=None):
    checkpoint = Checkpoint(folder / "checkpoint.npz", identity=[seed, recipe.model_dump()])
    if stop_after:
        saved = []

        def save_then_stop(self, state, save=Checkpoint.save):
            save(self, state)
            saved.append(state)
            if len(saved) == stop_after:
                raise KilledError

        monkeypatch.setattr(Checkpoint, "save", save_then_stop)
    return trainer.train(
        recipe,
        make_split(30, seed=0),
        make_split(10, seed=1),
        classes=3,
        seed=seed,
        checkpoint=checkpoint,
        log_dir=log_dir,
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole"))


def test_it_learns(result):
    assert result.summary["val_accuracy"] > 0.9
    assert result.history[-1]["loss"] < result.history[0]["loss"] / 2


def test_the_history_has_a_row_an_epoch(result):
    assert [row["epoch"] for row in result.history] == [1, 2, 3, 4]
    assert list(result.history[0]) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert result.history[-1]["learning_rate"] == pytest.approx(0, abs=1e-6)
    assert result.seconds > 0


@pytest.mark.parametrize(
    "loss",
    [
        params.Loss(labels="integer", label_smoothing=0, reduction="mean"),
        params.Loss(labels="integer", label_smoothing=0, reduction="sum"),
        params.Loss(labels="one_hot", label_smoothing=0.2, reduction="mean"),
    ],
)
def test_the_figures_are_what_the_model_does_whatever_the_loss(tmp_path, loss):
    recipe = variant(loss=loss, epochs=2)
    result = train(tmp_path, recipe=recipe)
    for prefix, split in (("", make_split(30, seed=0)), ("val_", make_split(10, seed=1))):
        probabilities = result.model.predict(split.images, verbose=0)
        cross_entropy = -np.log(probabilities[np.arange(len(split)), split.labels]).mean()
        assert result.summary[f"{prefix}loss"] == pytest.approx(cross_entropy, rel=1e-4)
        accuracy = (probabilities.argmax(axis=1) == split.labels).mean()
        assert result.summary[f"{prefix}accuracy"] == pytest.approx(accuracy)
    assert result.history[-1]["val_loss"] == pytest.approx(result.summary["val_loss"], rel=1e-4)


def test_one_hot_labels_are_the_same_training(result, tmp_path):
    recipe = variant(loss=params.Loss(labels="one_hot", label_smoothing=0, reduction="mean"))
    for first, second in zip(
        train(tmp_path, recipe=recipe).model.get_weights(), result.model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-4)


def test_a_summed_loss_is_a_larger_step(tmp_path):
    one_batch = {
        "optimizer": params.Sgd(name="sgd", momentum=0, weight_decay=0, ema=0),
        "epochs": 1,
        "batch_size": 90,
        "model": MLP.model_copy(update={"hidden": [params.HiddenLayer(units=8, dropout=0)]}),
    }
    summed = variant(
        **one_batch,
        loss=params.Loss(labels="integer", label_smoothing=0, reduction="sum"),
        schedule=params.Constant(name="constant", rate=0.01),
    )
    mean = variant(**one_batch, schedule=params.Constant(name="constant", rate=0.9))
    first, second = train(tmp_path / "sum", recipe=summed), train(tmp_path / "mean", recipe=mean)
    for one, other in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


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


@pytest.mark.parametrize("loop", ["keras", "gradient_tape"])
@pytest.mark.parametrize(
    "changes",
    [
        {"model": RECIPE.model},
        {"schedule": PLATEAU, "early_stopping": STOPPING, "epochs": 6},
        {"optimizer": params.Adam(name="adam", ema=0.9), "early_stopping": STOPPING},
        {"members": 2, "epochs": 2},
        {"steps_per_epoch": 4},
    ],
    ids=["normalisation", "plateau and early stopping", "moving average", "ensemble", "steps"],
)
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, monkeypatch, loop, changes):
    recipe = variant(loop=loop, **{"model": MLP, **changes})
    uninterrupted = train(tmp_path / "uninterrupted", recipe=recipe)
    for stop_after in {1, 3, len(uninterrupted.history)}:
        with pytest.raises(KilledError):
            train(tmp_path / str(stop_after), recipe=recipe, stop_after=stop_after, monkeypatch=monkeypatch)
        monkeypatch.undo()
        assert_same(train(tmp_path / str(stop_after), recipe=recipe), uninterrupted)


@pytest.mark.parametrize(
    "changes", [{}, {"optimizer": params.Adam(name="adam", ema=0.9)}, {"steps_per_epoch": 4}, {"model": MLP}]
)
def test_both_loops_train_the_same_network(tmp_path, changes):
    first = train(tmp_path / "keras", recipe=variant(**changes))
    second = train(tmp_path / "tape", recipe=variant(loop="gradient_tape", **changes))
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    for one, other in zip(first.history, second.history, strict=True):
        assert one == pytest.approx(other, rel=1e-3)


def test_early_stopping_stops_and_keeps_the_best_epoch(tmp_path):
    stopping = params.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
    recipe = variant(schedule=params.Constant(name="constant", rate=0.3), early_stopping=stopping, epochs=40, model=MLP)
    result = train(tmp_path, recipe=recipe)
    losses = [row["val_loss"] for row in result.history]
    assert len(result.history) == losses.index(min(losses)) + 1 + stopping.patience < recipe.epochs
    assert result.summary["val_loss"] == pytest.approx(min(losses), rel=1e-5)
    assert result.summary["epochs"] == len(result.history)


def test_without_restoring_the_last_epoch_stays(tmp_path):
    stopping = STOPPING.model_copy(update={"restore_best_weights": False})
    recipe = variant(schedule=params.Constant(name="constant", rate=0.3), early_stopping=stopping, epochs=12, model=MLP)
    result = train(tmp_path, recipe=recipe)
    assert result.summary["val_accuracy"] == result.history[-1]["val_accuracy"]


def test_the_moving_average_is_what_is_validated_and_saved(tmp_path):
    recipe = variant(optimizer=params.AdamW(name="adamw", weight_decay=0.01, ema=0.99), epochs=2)
    averaged = train(tmp_path / "ema", recipe=recipe)
    plain = train(tmp_path / "plain", recipe=variant(epochs=2))
    assert averaged.history[-1]["val_loss"] == pytest.approx(averaged.summary["val_loss"], rel=1e-4)
    assert averaged.history[-1]["val_loss"] != pytest.approx(plain.history[-1]["val_loss"], rel=1e-2)
    # The learning itself goes on from the weights, not from their average.
    assert [row["loss"] for row in averaged.history] == [row["loss"] for row in plain.history]


def test_an_ensemble_averages_members_that_differ(tmp_path):
    single = train(tmp_path / "single")
    ensemble = train(tmp_path / "ensemble", recipe=variant(members=3))
    images = make_split(5, seed=3).images
    members = [layer for layer in ensemble.model.layers if isinstance(layer, keras.Model)]
    answers = [member.predict(images, verbose=0) for member in members]
    np.testing.assert_allclose(ensemble.model.predict(images, verbose=0), np.mean(answers, axis=0), atol=1e-6)
    np.testing.assert_array_equal(answers[0], single.model.predict(images, verbose=0))
    assert not np.allclose(answers[0], answers[1])
    assert ensemble.summary["weights"] == 3 * single.summary["weights"]
    assert ensemble.summary["epochs"] == 12
    assert len(ensemble.history) == 4


def test_more_is_held_out_where_the_recipe_says_so(tmp_path, monkeypatch):
    seen = {}

    def note(labels, classes, options, targets=losses.targets):
        seen.setdefault("counts", []).append(len(labels))
        return targets(labels, classes, options)

    monkeypatch.setattr(losses, "targets", note)
    train(tmp_path, recipe=variant(validation_fraction=0.5, epochs=1))
    assert set(seen["counts"]) == {60}


def test_weight_decay_does_what_it_says(tmp_path):
    def norm(optimizer):
        trained = train(tmp_path / str(optimizer), recipe=variant(optimizer=optimizer))
        return sum(np.square(kernel).sum() for kernel in trained.model.get_weights() if kernel.ndim > 1)

    for plain, decayed in [
        (params.Adam(name="adam", ema=0), params.AdamW(name="adamw", weight_decay=1.0, ema=0)),
        *[[params.Sgd(name="sgd", momentum=0.9, weight_decay=decay, ema=0) for decay in (0.0, 1.0)]],
    ]:
        assert norm(decayed) < 0.9 * norm(plain)


def test_a_training_that_diverges_says_so_and_leaves_no_checkpoint(tmp_path):
    wild = variant(schedule=params.Constant(name="constant", rate=1e30))
    with pytest.raises(UserError, match=r"the training diverged in epoch 1 .* lower the recipe's learning rate"):
        train(tmp_path, recipe=wild)
    assert not list(tmp_path.glob("checkpoint*"))


@pytest.mark.parametrize("loop", ["keras", "gradient_tape"])
def test_off_a_terminal_there_is_a_line_an_epoch(tmp_path, capsys, loop):
    train(tmp_path, recipe=variant(loop=loop))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == RECIPE.epochs
    assert lines[0].startswith("epoch 1/4  ")
    assert "val_accuracy" in lines[0]


@pytest.mark.parametrize("loop", ["keras", "gradient_tape"])
def test_on_a_terminal_there_is_a_progress_bar(tmp_path, capsys, monkeypatch, loop):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    train(tmp_path, recipe=variant(loop=loop))
    assert "6/6" in capsys.readouterr().out


def test_nothing_is_logged_without_a_place_for_it(tmp_path):
    train(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.1.npz"]


def test_mixed_precision_answers_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        result = train(tmp_path, recipe=variant(members=2))
    finally:
        keras.config.set_dtype_policy("float32")
    assert result.model.output.dtype == "float32"
    assert result.summary["val_accuracy"] > 0.9
    probabilities = result.model.predict(make_split(2, seed=3).images, verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_only_layers_that_keras_knows(result, tmp_path):
    path = tmp_path / "model.keras"
    result.model.save(path)
    assert isinstance(keras.models.load_model(path, safe_mode=True), keras.Model)


TWO_DEVICES = """
import json, sys
from pathlib import Path
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from digits import params
from digits.models import determinism
from digits.core.errors import UserError
from tests.digits.training.test_trainer import MLP, PLATEAU, STOPPING, train, variant
determinism.configure(2)
strategy = devices.strategy("mirrored")
folder = Path(sys.argv[1])
result = {"replicas": strategy.num_replicas_in_sync}
for name, changes in {
    "normalisation": {},
    "plateau": {"model": MLP, "schedule": PLATEAU, "early_stopping": STOPPING},
    "average": {"model": MLP, "optimizer": params.Adam(name="adam", ema=0.9)},
    "ensemble": {"model": MLP, "members": 2},
}.items():
    recipe = variant(batch_size=30, epochs=2, **changes)
    with strategy.scope():
        mirrored = train(folder / name / "two", recipe=recipe, log_dir=folder / "logs" / name)
    single = train(folder / name / "one", recipe=recipe)
    result[name] = [mirrored.history[-1], single.history[-1]]
try:
    with strategy.scope():
        train(folder, recipe=variant(batch_size=33))
except UserError as error:
    result["error"] = str(error)
print(json.dumps(result))
"""


def test_two_devices_share_a_batch(tmp_path):
    # Logical devices of one processor stand in for GPUs. Each normalises its half of a batch by itself, so that the
    # weights differ a little from those of one device.
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result.pop("replicas") == 2
    assert result.pop("error") == "a batch_size of 33 cannot be shared by 2 devices: take a multiple"
    for mirrored, single in result.values():
        assert mirrored["loss"] == pytest.approx(single["loss"], rel=0.3)
        assert mirrored["learning_rate"] == single["learning_rate"]


ONE_HOT = params.Loss(labels="one_hot", label_smoothing=0.1, reduction="mean")
PLAIN = MLP.model_copy(update={"hidden": [params.HiddenLayer(units=8, dropout=0)]})
TRUSTED = {"model": PLAIN, "outlier_share": 0.2, "calibrate": True, "loss": ONE_HOT, "epochs": 3}


@pytest.mark.parametrize("members", [1, 2])
def test_a_calibrated_model_divides_its_logits_by_the_fitted_temperature(tmp_path, members):
    recipe = variant(**{**TRUSTED, "epochs": 1}, members=members)  # so few that it makes mistakes
    calibrated = train(tmp_path / "calibrated", recipe=recipe)
    plain = train(tmp_path / "plain", recipe=recipe.model_copy(update={"calibrate": False}))
    validation = make_split(10, seed=1)
    before = keras_file.probabilities(plain.model, validation.images)
    temperature = calibration.temperature(validation.labels, before)
    assert plain.summary["temperature"] == 1
    assert calibrated.summary["temperature"] == temperature != 1
    after = keras_file.probabilities(calibrated.model, validation.images)
    np.testing.assert_allclose(after, calibration.apply_temperature(before, temperature), atol=1e-5)
    assert calibrated.summary["val_loss"] <= plain.summary["val_loss"]
    assert calibrated.summary["val_accuracy"] == plain.summary["val_accuracy"]
    # Fitted once, it is 1 from there on, unless it is at the end of its range.
    if calibration.MIN_TEMPERATURE * 1.01 < temperature < calibration.MAX_TEMPERATURE * 0.99:
        assert calibration.temperature(validation.labels, after) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("loop", ["keras", "gradient_tape"])
def test_outliers_are_learnt_from_and_not_measured(tmp_path, loop):
    recipe = variant(**{**TRUSTED, "outlier_share": 0.9, "calibrate": False, "loop": loop, "epochs": 6})
    result = train(tmp_path, recipe=recipe)
    assert result.history[-1]["accuracy"] > 0.85, "with all outliers counted as wrong it would be near a half"
    assert result.summary["val_accuracy"] > 0.9


@pytest.mark.parametrize("members", [1, 2])
def test_outliers_and_calibration_survive_an_interruption(tmp_path, monkeypatch, members):
    recipe = variant(**TRUSTED, members=members)
    uninterrupted = train(tmp_path / "uninterrupted", recipe=recipe)
    with pytest.raises(KilledError):
        train(tmp_path / "cut", recipe=recipe, stop_after=2, monkeypatch=monkeypatch)
    monkeypatch.undo()
    resumed = train(tmp_path / "cut", recipe=recipe)
    assert_same(resumed, uninterrupted)
    assert resumed.summary == uninterrupted.summary

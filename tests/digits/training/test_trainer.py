import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest

from digits import params
from digits.core.errors import UserError
from digits.inputs.streaming import StreamedSplit
from digits.metrics import calibration
from digits.models import keras_file
from digits.splits import tfrecords
from digits.training import trainer
from digits.training.checkpoints import Checkpoint
from tests.conftest import ROOT, make_split

RECIPE = params.Recipe(
    model=params.StridedCnn(
        architecture="strided_cnn",
        convolutions=["8 3x3/2", "8 3x3/2"],
        normalize=True,
        hidden=8,
    ),
    members=1,
    outlier_share=0,
    drawing_share=0,
    calibrate=False,
    validation_fraction=None,
    augmentation=params.Augmentation(
        moved=1, rotation=5, zoom=0, shift=0.05, shear=0, weight=0, coarse=0, noise=0, corrupted=0
    ),
    undistorted_epochs=0,
    views=1,
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
NARROW = RECIPE.model.model_copy(update={"convolutions": RECIPE.model.convolutions[:1]})  # with a normalisation
MLP = params.Mlp(
    architecture="mlp",
    activation="relu",
    hidden=[params.HiddenLayer(units=8, dropout=0.5)],
    kernel_initializer=params.NormalInitializer(normal=0.1),
)
PLAIN = MLP.model_copy(update={"hidden": [params.HiddenLayer(units=8, dropout=0)]})
ONE_HOT = params.Loss(labels="one_hot", label_smoothing=0.1, reduction="mean")
MUON = params.Muon(name="muon", weight_decay=0.1, ema=0)
AVERAGED = params.Adam(name="adam", ema=0.9)
TRUSTED = {"model": PLAIN, "outlier_share": 0.2, "calibrate": True, "loss": ONE_HOT, "epochs": 2}


def variant(**changes):
    return RECIPE.model_copy(update=changes)


def train(folder, *, training=None, seed=1, recipe=RECIPE, identity=None, log_dir=None, strategy=None):
    checkpoint = Checkpoint(folder / "checkpoint.npz", identity=identity or [seed, recipe.model_dump()])
    return trainer.train(
        recipe,
        training or make_split(30, seed=0),
        make_split(10, seed=1),
        classes=3,
        seed=seed,
        checkpoint=checkpoint,
        log_dir=log_dir,
        strategy=strategy,
    )


class Interrupted:
    """A training in the folder `whole`, and in `cut` what it would have left if it had been killed after some epochs.

    Attributes:
        whole: its result.
    """

    def __init__(self, folder, epochs, **options):
        self.folder, self.epochs, self.options = folder, epochs, options
        self.whole, self.saved = self._train("whole", copy_after=epochs)

    def resumed(self):
        """The result of the killed training once it was continued, by the epochs that were left."""
        result, saved = self._train("cut")
        assert saved == self.saved - self.epochs
        return result

    def _train(self, name, copy_after=None):
        """The result, and how many epochs were trained."""
        saved = 0

        def count(checkpoint, state, save=Checkpoint.save):
            nonlocal saved
            save(checkpoint, state)
            saved += 1
            if saved == copy_after:
                shutil.copytree(self.folder / "whole", self.folder / "cut")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Checkpoint, "save", count)
            return train(self.folder / name, **self.options), saved


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    return Interrupted(tmp_path_factory.mktemp("interrupted"), epochs=2)


@pytest.fixture(scope="module")
def result(interrupted):
    return interrupted.whole


# Most of a training's time goes into building TensorFlow's graph: where neither the network nor the learning rate
# matters, they are small.
SMALL = variant(model=MLP, schedule=params.Constant(name="constant", rate=0.02), epochs=3)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    result = train(folder, recipe=SMALL)
    assert [path.name for path in folder.iterdir()] == ["checkpoint.1.npz"], "nothing is logged without a place for it"
    return result


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
        params.Loss(labels="integer", label_smoothing=0, reduction="sum"),
        params.Loss(labels="one_hot", label_smoothing=0.2, reduction="mean"),
    ],
)
def test_the_figures_are_what_the_model_does_whatever_the_loss(tmp_path, loss):
    recipe = variant(loss=loss, epochs=2, model=PLAIN)
    result = train(tmp_path, recipe=recipe)
    split = make_split(10, seed=1)
    probabilities = result.model.predict(split.images, verbose=0)
    cross_entropy = -np.log(probabilities[np.arange(len(split)), split.labels]).mean()
    assert result.summary["val_loss"] == pytest.approx(cross_entropy, rel=1e-4)
    assert result.summary["val_accuracy"] == pytest.approx((probabilities.argmax(axis=1) == split.labels).mean())
    last = result.history[-1]
    assert last["val_loss"] == pytest.approx(result.summary["val_loss"], rel=1e-4)
    assert {name: result.summary[name] for name in ("loss", "accuracy")} == {
        name: last[name] for name in ("loss", "accuracy")
    }, "on the training split as it was measured while training"


def test_several_views_are_averaged_and_the_training_is_the_same(small, tmp_path):
    found = train(tmp_path, recipe=SMALL.model_copy(update={"views": 5}))
    assert found.history == small.history
    assert found.summary["weights"] == small.summary["weights"]
    images = make_split(5, seed=3).images
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    shifts = [padded[:, y : y + 8, x : x + 8] for y in range(3) for x in range(3) if 1 in (x, y)]
    mean = np.mean([small.model.predict(shift, verbose=0) for shift in shifts], axis=0)
    np.testing.assert_allclose(found.model.predict(images, verbose=0), mean, atol=1e-6)
    assert len(found.model.optimizer.variables) == len(small.model.optimizer.variables)


def test_one_hot_labels_are_the_same_training(small, tmp_path):
    one_hot = params.Loss(labels="one_hot", label_smoothing=0, reduction="mean")
    found = train(tmp_path, recipe=SMALL.model_copy(update={"loss": one_hot}))
    for first, second in zip(found.model.get_weights(), small.model.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-4)


def test_a_summed_loss_is_a_larger_step(tmp_path):
    one_batch = {
        "optimizer": params.Sgd(name="sgd", momentum=0, weight_decay=0, ema=0),
        "epochs": 1,
        "batch_size": 90,
        "model": PLAIN,
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


@pytest.mark.parametrize("changes", [{}, {"views": 5}, {"members": 2}])
def test_a_model_trained_with_our_optimiser_names_nothing_of_ours(tmp_path, changes):
    result = train(tmp_path, recipe=SMALL.model_copy(update={"optimizer": MUON, "epochs": 1, **changes}))
    keras_file.save(tmp_path / "model.keras", result.model)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = archive.read("config.json").decode()
    assert "Rescaling" in config
    assert "digits." not in config
    assert "Muon" not in config


def weights(result):
    return [*result.model.get_weights(), *(np.array(v) for v in result.model.optimizer.variables)]


def assert_same(first, second):
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.history == second.history


def test_the_same_seed_gives_the_same_weights(small, tmp_path):
    assert_same(train(tmp_path, recipe=SMALL), small)


def test_another_seed_gives_others(small, tmp_path):
    assert train(tmp_path, recipe=SMALL, seed=2).history != small.history


def test_normalisation_and_schedule_survive_an_interruption(interrupted):
    assert_same(interrupted.resumed(), interrupted.whole)


# The loops differ in how they count steps, take up the batches in the middle, end early and take over the average.
@pytest.mark.parametrize(
    ("changes", "epochs"),
    [
        ({"schedule": PLATEAU, "early_stopping": STOPPING, "epochs": 5}, 3),
        ({"optimizer": AVERAGED, "loop": "keras"}, 1),
        ({"optimizer": AVERAGED, "early_stopping": STOPPING, "steps_per_epoch": 4, "loop": "gradient_tape"}, 2),
        ({"loop": "gradient_tape", "epochs": 2}, 2),
        ({"optimizer": MUON, "model": NARROW, "epochs": 2}, 1),
    ],
    ids=[
        "plateau and early stopping",
        "average",
        "average, steps and early stopping, own loop",
        "killed at the end",
        "muon",
    ],
)
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, changes, epochs):
    interrupted = Interrupted(tmp_path, epochs, recipe=SMALL.model_copy(update=changes))
    assert_same(interrupted.resumed(), interrupted.whole)


@pytest.fixture(scope="module")
def streamed(tmp_path_factory):
    """The training split of `train` in nine shards, two of which are in memory together."""
    folder = tmp_path_factory.mktemp("records") / "r"
    tfrecords.write(folder, {"train": make_split(30, seed=0)}, name="bars", classes=["a", "b", "c"], shards=9)
    return StreamedSplit(tfrecords.find(folder, "train"), 2)


def test_a_streamed_training_learns_as_well(streamed, tmp_path):
    found = train(tmp_path, training=streamed, recipe=variant(model=PLAIN))
    assert found.summary["val_accuracy"] > 0.9
    assert found.model.optimizer.iterations.numpy() == 6 * RECIPE.epochs, "as many steps as in memory"


# Five steps of the six that are a pass: an epoch begins in the middle of a pass, and of a group.
@pytest.mark.parametrize("loop", ["keras", "gradient_tape"])
def test_an_interrupted_streamed_training_ends_with_the_same_weights(streamed, tmp_path, loop):
    recipe = variant(**{**TRUSTED, "epochs": 3}, steps_per_epoch=5, loop=loop)
    interrupted = Interrupted(tmp_path, 1, training=streamed, recipe=recipe)
    assert_same(interrupted.resumed(), interrupted.whole)


def test_of_a_stream_no_more_images_are_held_out(streamed, tmp_path):
    with pytest.raises(UserError, match=r"validation_fraction: .* larger than train\.memory_mb; raise"):
        train(tmp_path, training=streamed, recipe=SMALL.model_copy(update={"validation_fraction": 0.5}))


def test_a_shard_that_is_damaged_during_the_training_is_named(tmp_path):
    tfrecords.write(tmp_path / "r", {"train": make_split(30, seed=0)}, name="bars", classes=["a", "b", "c"], shards=9)
    shards = tfrecords.find(tmp_path / "r", "train")
    shards.paths[3].write_bytes(shards.paths[3].read_bytes()[:-5])
    with pytest.raises(UserError, match=r"train-00003-of-00009\.tfrecord: corrupt or truncated"):
        train(tmp_path, training=StreamedSplit(shards, 2), recipe=SMALL)


def test_the_identity_of_a_training_covers_its_stream(streamed):
    settings = (params.load(ROOT / "params.yaml").train,)
    found = [
        trainer.identity(SMALL, 1, settings, split, make_split(10, seed=1))
        for split in (streamed, replace(streamed, drawings=make_split(1, seed=0), drawn=1), make_split(30, seed=0))
    ]
    assert found[0] == trainer.identity(SMALL, 1, settings, streamed, make_split(10, seed=1))
    assert len({json.dumps(identity) for identity in found}) == 3


def test_an_ensemble_with_outliers_and_calibration_survives_an_interruption(tmp_path):
    recipe = variant(**TRUSTED, members=2)
    interrupted = Interrupted(tmp_path, recipe.epochs + 1, recipe=recipe)  # in the second member; the first is whole
    resumed = interrupted.resumed()
    assert_same(resumed, interrupted.whole)
    assert resumed.summary == interrupted.whole.summary


def assert_nearly_same(first, second):
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    for one, other in zip(first.history, second.history, strict=True):
        assert one == pytest.approx(other, rel=1e-3)


def test_both_loops_train_the_same_network(result, tmp_path):
    assert_nearly_same(train(tmp_path, recipe=variant(loop="gradient_tape")), result)


def test_both_loops_average_and_count_the_same(tmp_path):
    recipe = variant(model=MLP, optimizer=AVERAGED, loss=ONE_HOT, outlier_share=0.2, steps_per_epoch=4, epochs=2)
    first = train(tmp_path / "keras", recipe=recipe)
    second = train(tmp_path / "tape", recipe=recipe.model_copy(update={"loop": "gradient_tape"}))
    assert_nearly_same(first, second)


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
    assert result.summary["val_accuracy"] == pytest.approx(result.history[-1]["val_accuracy"])


def test_the_moving_average_is_what_is_validated_and_saved(small, tmp_path):
    optimizer = params.AdamW(name="adamw", weight_decay=0.01, ema=0.99)
    averaged = train(tmp_path, recipe=SMALL.model_copy(update={"optimizer": optimizer}))
    assert averaged.history[-1]["val_loss"] == pytest.approx(averaged.summary["val_loss"], rel=1e-4)
    assert averaged.history[-1]["val_loss"] != pytest.approx(small.history[-1]["val_loss"], rel=1e-2)
    # The learning itself goes on from the weights, not from their average.
    assert [row["loss"] for row in averaged.history] == [row["loss"] for row in small.history]


def test_an_ensemble_averages_members_that_differ(small, tmp_path):
    ensemble = train(tmp_path, recipe=SMALL.model_copy(update={"members": 2}))
    images = make_split(5, seed=3).images
    members = [layer for layer in ensemble.model.layers if isinstance(layer, keras.Model)]
    answers = [member.predict(images, verbose=0) for member in members]
    np.testing.assert_allclose(ensemble.model.predict(images, verbose=0), np.mean(answers, axis=0), atol=1e-6)
    np.testing.assert_array_equal(answers[0], small.model.predict(images, verbose=0))
    assert not np.allclose(answers[0], answers[1])
    assert ensemble.summary["weights"] == 2 * small.summary["weights"]
    assert ensemble.summary["epochs"] == 2 * SMALL.epochs
    assert len(ensemble.history) == SMALL.epochs


def test_more_is_held_out_where_the_recipe_says_so(small, tmp_path):
    # Of 90 and 30 images, 60 are left to learn from: 4 batches of 16 in place of 6.
    found = train(tmp_path, recipe=SMALL.model_copy(update={"validation_fraction": 0.5, "epochs": 1}))
    assert small.model.optimizer.iterations.numpy() == 6 * SMALL.epochs
    assert found.model.optimizer.iterations.numpy() == 4
    wrong = 60 * (1 - found.summary["val_accuracy"])
    assert wrong == pytest.approx(round(wrong), abs=1e-3)


def test_weight_decay_does_what_it_says(small, tmp_path):
    # The other optimisers' is computed by hand in test_optimizers.py.
    def norm(result):
        return sum(np.square(kernel).sum() for kernel in result.model.get_weights() if kernel.ndim > 1)

    strong = params.AdamW(name="adamw", weight_decay=1.0, ema=0)
    assert norm(train(tmp_path, recipe=SMALL.model_copy(update={"optimizer": strong}))) < 0.9 * norm(small)


def test_a_training_that_diverges_says_so_and_leaves_no_checkpoint(tmp_path):
    wild = variant(model=MLP, schedule=params.Constant(name="constant", rate=1e30))
    with pytest.raises(UserError, match=r"the training diverged in epoch 1 .* lower the recipe's learning rate"):
        train(tmp_path, recipe=wild)
    assert not list(tmp_path.glob("checkpoint*"))


def test_off_a_terminal_there_is_a_line_an_epoch(tmp_path, capsys):
    train(tmp_path, recipe=SMALL.model_copy(update={"epochs": 2}))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  ")
    assert "val_accuracy" in lines[0]


@pytest.mark.parametrize("loop", ["keras", "gradient_tape"])
def test_on_a_terminal_there_is_a_progress_bar(tmp_path, capsys, monkeypatch, loop):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    train(tmp_path, recipe=SMALL.model_copy(update={"loop": loop, "epochs": 1}))
    assert "6/6" in capsys.readouterr().out


# In a process of its own: oneDNN takes its instructions once, and those that the other tests have hold no bfloat16.
MIXED_PRECISION = """
import json, sys
from pathlib import Path
from digits import params
from digits.models import determinism
determinism.configure(params.Processor(threads=2, instructions="all"), "mixed_bfloat16")
from tests.conftest import make_split
from tests.digits.training.test_trainer import TRUSTED, train, variant
result = train(Path(sys.argv[1]), recipe=variant(**TRUSTED, members=2))
probabilities = result.model.predict(make_split(2, seed=3).images, verbose=0)
print(json.dumps([result.model.output.dtype, result.summary["val_accuracy"], probabilities.sum(axis=1).tolist()]))
"""


def test_mixed_precision_answers_in_float32(tmp_path):
    dtype, accuracy, sums = json.loads(in_a_process(MIXED_PRECISION, tmp_path).splitlines()[-1])
    assert dtype == "float32"
    assert accuracy > 0.9
    np.testing.assert_allclose(sums, 1, rtol=1e-5)


def in_a_process(program, folder):
    """Returns what a program with the path of a folder as its argument prints."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
from digits.core.errors import UserError
from digits.models import determinism
from digits.training import devices
from tests.digits.training.test_trainer import AVERAGED, NARROW, PLATEAU, STOPPING, train, variant
determinism.configure(params.Processor(threads=2, instructions="avx2"))
strategy = devices.strategy("mirrored")
folder = Path(sys.argv[1])
found = {"replicas": strategy.num_replicas_in_sync}
changes = {"optimizer": AVERAGED, "schedule": PLATEAU, "early_stopping": STOPPING}
recipe = variant(model=NARROW, batch_size=30, epochs=2, **changes)
mirrored = train(folder / "two", recipe=recipe, log_dir=folder / "logs", strategy=strategy)
single = train(folder / "one", recipe=recipe)
found["rows"] = [mirrored.history[-1], single.history[-1]]
try:
    train(folder, recipe=variant(batch_size=33), strategy=strategy)
except UserError as error:
    found["error"] = str(error)
print(json.dumps(found))
"""


def test_two_devices_share_a_batch(tmp_path):
    # Logical devices of one processor stand in for GPUs.
    found = json.loads(in_a_process(TWO_DEVICES, tmp_path).splitlines()[-1])
    assert found["replicas"] == 2
    assert found["error"] == "a batch_size of 33 cannot be shared by 2 devices: take a multiple"
    mirrored, single = found["rows"]
    assert mirrored["loss"] == pytest.approx(single["loss"], rel=0.3)
    assert mirrored["learning_rate"] == single["learning_rate"]


@pytest.mark.parametrize("members", [1, 2])
def test_a_calibrated_model_divides_its_logits_by_the_fitted_temperature(tmp_path, members):
    recipe = variant(**{**TRUSTED, "epochs": 1}, members=members)  # so few that it makes mistakes
    calibrated = train(tmp_path, recipe=recipe, identity="both")
    # The networks are those of the checkpoint: all that is left to do is what the recipe says of the temperature.
    plain = train(tmp_path, recipe=recipe.model_copy(update={"calibrate": False}), identity="both")
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


def test_outliers_are_learnt_from_and_not_measured(tmp_path):
    recipe = variant(**{**TRUSTED, "outlier_share": 0.9, "calibrate": False, "epochs": 6})
    result = train(tmp_path, recipe=recipe)
    assert result.model.get_layer("logits").units == 4, "a logit for none of the three classes"
    assert result.history[-1]["accuracy"] > 0.85, "with all outliers counted as wrong it would be near a half"
    assert result.summary["val_accuracy"] > 0.9

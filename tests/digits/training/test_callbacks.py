import keras
import numpy as np
import pytest

from digits.params import Constant, EarlyStopping, Plateau
from digits.training import callbacks
from digits.training.checkpoints import Checkpoint
from tests.digits.training.test_trainer import RECIPE

RATE = 0.8


def rows(values):
    return [
        {"epoch": n, "loss": v, "accuracy": v, "val_loss": v, "val_accuracy": v, "learning_rate": RATE, "seconds": 1.0}
        for n, v in enumerate(values, 1)
    ]


def restored(tmp_path, recipe, values):
    """Returns an `EpochRecorder` that finds `values` in its checkpoint, and its network."""
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.compile(keras.optimizers.SGD(RATE), "mse")
    network.optimizer.build(network.trainable_variables)
    checkpoint = Checkpoint(tmp_path / "checkpoint.npz", identity=1)
    state = checkpoint.load()
    state.history = rows(values)
    state.variables = [np.array(v) for v in (*network.variables, *network.optimizer.variables)]
    checkpoint.save(state)
    return callbacks.EpochRecorder(network, recipe, checkpoint, checkpoint.load(), prints=False), network


def stopping(monitor, patience):
    return RECIPE.model_copy(
        update={
            "early_stopping": EarlyStopping(monitor=monitor, patience=patience, restore_best_weights=False),
            "schedule": Constant(name="constant", rate=RATE),
            "epochs": 99,
        }
    )


@pytest.mark.parametrize(
    ("monitor", "values", "finished"),
    [
        ("val_accuracy", [0.1, 0.2, 0.3], False),
        ("val_accuracy", [0.3, 0.2], False),
        ("val_accuracy", [0.3, 0.2, 0.3], True),  # as good is not better
        ("accuracy", [0.3, 0.2, 0.1], True),
        ("val_loss", [0.3, 0.2, 0.1], False),
        ("val_loss", [0.1, 0.2, 0.3], True),
        ("loss", [0.1, 0.2, 0.05, 0.2], False),
    ],
)
def test_a_resumed_history_stops_as_it_would_have(tmp_path, monitor, values, finished):
    assert restored(tmp_path, stopping(monitor, 2), values)[0].finished == finished


def test_the_last_epoch_is_the_last(tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 2})
    assert not restored(tmp_path, recipe, [0.1])[0].finished
    assert restored(tmp_path, recipe, [0.1, 0.2])[0].finished


def keras_rate(values, factor, patience, monitor):
    """The learning rate to which Keras' own callback comes."""
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.compile(keras.optimizers.SGD(RATE), "mse")
    callback = keras.callbacks.ReduceLROnPlateau(
        monitor, factor=factor, patience=patience, mode="min" if "loss" in monitor else "max"
    )
    callback.set_model(network)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {monitor: value})
    return float(network.optimizer.learning_rate)


@pytest.mark.parametrize("values", [[0.1, 0.2, 0.3], [0.3, 0.3, 0.3, 0.3, 0.3], [0.3, 0.2, 0.4, 0.4, 0.1, 0.2]])
@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_a_replayed_plateau_does_not_lower_the_restored_rate(tmp_path, values, monitor):
    schedule = Plateau(name="plateau", rate=RATE, factor=0.5, patience=2, monitor=monitor)
    recorder, network = restored(tmp_path, stopping("val_loss", 50).model_copy(update={"schedule": schedule}), values)
    assert float(network.optimizer.learning_rate) == pytest.approx(RATE), "what the checkpoint says"
    # ... and one epoch more acts as it would have without the interruption.
    recorder.set_model(network)
    network.optimizer.learning_rate = keras_rate(values, 0.5, 2, monitor)
    recorder.on_epoch_begin(len(values))
    recorder.on_epoch_end(
        len(values), dict.fromkeys(("cross_entropy", "accuracy", "val_cross_entropy", "val_accuracy"), 0.35)
    )
    assert float(network.optimizer.learning_rate) == pytest.approx(keras_rate([*values, 0.35], 0.5, 2, monitor))


def test_best_epoch():
    history = rows([0.2, 0.5, 0.1, 0.5, 0.1])
    assert callbacks.best_epoch(history, "val_accuracy") == 2
    assert callbacks.best_epoch(history, "val_loss") == 3

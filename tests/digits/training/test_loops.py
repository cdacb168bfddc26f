import keras
import numpy as np
import pytest
import tensorflow as tf

from digits.training.loops import LOOPS

EVENTS = ["train_begin", "epoch_begin", "train_batch_begin", "train_batch_end", "test_begin", "test_end", "epoch_end"]


class Notes(keras.callbacks.Callback):
    """Records the calls that it receives."""

    def __init__(self, stop_after=None):
        super().__init__()
        self.calls, self.logs, self.stop_after = [], [], stop_after
        for event in [*EVENTS, "train_end"]:
            setattr(self, f"on_{event}", lambda *arguments, event=event, **_: self.note(event, arguments))

    def note(self, event, arguments):
        self.calls.append((event, *[a for a in arguments if isinstance(a, int)]))
        if event == "epoch_end":
            self.logs.append(arguments[1])
            self.model.stop_training = len(self.logs) == self.stop_after


def run(loop, first_epoch=0, stop_after=None, epochs=3):
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    network.compile(
        keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    generator = np.random.default_rng(0)
    data = generator.normal(size=(24, 4)).astype(np.float32), generator.integers(0, 3, 24)
    batches = tf.data.Dataset.from_tensor_slices(data).batch(8).repeat()
    notes = Notes(stop_after)
    LOOPS[loop](
        network,
        batches,
        tf.data.Dataset.from_tensor_slices(data).batch(12),
        steps=3,
        first_epoch=first_epoch,
        epochs=epochs,
        callbacks=[notes],
        verbose=0,
    )
    return notes


@pytest.mark.parametrize("options", [{}, {"first_epoch": 2}, {"stop_after": 1}])
def test_callbacks_hear_the_same_from_both_and_end_them(options):
    ours, keras_own = run("gradient_tape", **options), run("keras", **options)
    assert ours.calls == keras_own.calls
    assert len(ours.logs) == options.get("stop_after", 3) - options.get("first_epoch", 0)
    for one, other in zip(ours.logs, keras_own.logs, strict=True):
        assert set(one) == set(other)
        assert {name: float(value) for name, value in one.items()} == pytest.approx(other, rel=1e-5)

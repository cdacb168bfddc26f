"""Training: a recipe and a split in, a fitted network and its history out."""

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from digits import architectures, batches, schedules
from digits.checkpoints import Checkpoint
from digits.errors import UserError
from digits.examples import Split
from digits.params import Recipe

History = list[dict[str, Any]]


@dataclass(frozen=True)
class Result:
    """What a training gives.

    Attributes:
        model: from uint8 `[N, H, W, C]` to probabilities float32 `[N, classes]`, compiled.
        history: one row an epoch: `epoch` (from 1), `loss`, `accuracy`, `val_loss`, `val_accuracy`, and the
            `learning_rate` that the schedule has come to.
    """

    model: keras.Model
    history: History


def train(
    recipe: Recipe,
    training: Split,
    validation: Split,
    *,
    classes: int,
    seed: int,
    checkpoint: Checkpoint,
    log_dir: Path,
) -> Result:
    """Trains one network; with the same arguments on the same kind of processor, to the same bytes.

    Args:
        recipe: the network and how it learns.
        training: examples to learn from.
        validation: examples to watch; they change nothing.
        classes: number of classes.
        seed: of the initial weights, the order of the examples, their distortions and dropout.
        checkpoint: where the state after each epoch is kept, and taken up again after an interruption.
        log_dir: where TensorBoard finds the curves.
    """
    keras.utils.set_random_seed(seed)
    network = architectures.build(recipe.model, training.images.shape[1:], classes)
    steps = batches.steps_per_epoch(training, recipe.batch_size)
    compile_network(network, recipe, steps * recipe.epochs)
    history = checkpoint.restore(network)
    terminal = sys.stdout.isatty()
    network.fit(
        batches.shuffled(
            training,
            batch_size=recipe.batch_size,
            augmentation=recipe.augmentation,
            seed=seed,
            epochs=recipe.epochs,
            first_epoch=len(history),
        ),
        validation_data=batches.in_order(validation),
        steps_per_epoch=steps,
        initial_epoch=len(history),
        epochs=recipe.epochs,
        shuffle=False,  # the batches are shuffled already
        verbose=1 if terminal else 0,
        callbacks=[
            Recorder(history, checkpoint),
            keras.callbacks.TensorBoard(str(log_dir)),
            *([] if terminal else [EpochLine()]),
        ],
    )
    return Result(with_probabilities(network), history)


def compile_network(network: keras.Model, recipe: Recipe, steps: int) -> None:
    """Gives the network its optimiser, built, and its loss on logits, which is exact where a softmax saturates."""
    optimizer = keras.optimizers.AdamW(
        schedules.build(recipe.schedule, steps), weight_decay=recipe.optimizer.weight_decay
    )
    optimizer.build(network.trainable_variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer, loss, metrics=["accuracy"])


def with_probabilities(network: keras.Model) -> keras.Model:
    """The same weights and optimiser under a softmax: every saved model answers probabilities."""
    probabilities = keras.layers.Softmax(name="probabilities")(network.output)
    model = keras.Model(network.input, probabilities, name=network.name)
    model.compile(network.optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def summarize(result: Result) -> dict[str, Any]:
    """The figures of `metrics/train.json`: those of the last epoch, and the size of the network."""
    last = {name: value for name, value in result.history[-1].items() if name != "learning_rate"}
    return {**last, "weights": result.model.count_params()}


class Recorder(keras.callbacks.Callback):
    """Appends each epoch's figures to `history` and keeps the state in the checkpoint."""

    def __init__(self, history: History, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.history, self.checkpoint = history, checkpoint

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Keras calls it after the validation; `epoch` counts from 0."""
        figures = {name: float(logs[name]) for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
        if not math.isfinite(figures["loss"] + figures["val_loss"]):
            raise UserError(
                f"the training diverged in epoch {epoch + 1} (loss {figures['loss']}, validation loss "
                f"{figures['val_loss']}); lower the recipe's learning rate"
            )
        rate = float(self.model.optimizer.learning_rate)
        self.history.append({"epoch": epoch + 1, **figures, "learning_rate": rate})
        self.checkpoint.save(self.model, self.history)


class EpochLine(keras.callbacks.Callback):
    """One line an epoch, for a log; on a terminal Keras' progress bar says more."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Prints the line; `epoch` counts from 0."""
        figures = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
        seconds = time.perf_counter() - self.started
        print(f"epoch {epoch + 1}/{self.params['epochs']}  {figures}  {seconds:.1f} s", flush=True)

"""Training: a recipe and a split in, a fitted model and its history out."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits import architectures
from digits.core.errors import UserError
from digits.inputs import batches, outliers
from digits.inputs.targets import encode, uniform_targets
from digits.metrics import calibration
from digits.models import keras_file
from digits.params import Recipe, Train
from digits.splits import holdout
from digits.splits.split import Split
from digits.training import checkpoints, ensembles, losses, optimizers, tensorboard
from digits.training.callbacks import AveragedValidation, Watcher
from digits.training.checkpoints import Checkpoint
from digits.training.loops import LOOPS

History = list[dict[str, Any]]


@dataclass(frozen=True)
class Result:
    """What a training gives.

    Attributes:
        model: from uint8 `[N, H, W, C]` to probabilities float32 `[N, classes]`, compiled.
        history: one row an epoch: `epoch` (from 1), `loss`, `accuracy`, `val_loss`, `val_accuracy`, and the
            `learning_rate` that the schedule has come to. The losses are cross-entropies in nats, means over the
            examples; those of the training split are taken while it is learnt, with distortions and dropout. Of an
            ensemble, the mean over the members that were still learning.
        summary: of the final `model` on both splits, undistorted: `loss`, `accuracy`, `val_loss`, `val_accuracy`; its
            number of `weights`; the number of `epochs` that all members took; and the `temperature` that the
            logits are divided by.
        seconds: that the epochs took, validation included; after an interruption those before it, too.
    """

    model: keras.Model
    history: History
    summary: dict[str, Any]
    seconds: float


def identity(recipe: Recipe, seed: int, settings: Train, *splits: Split) -> list[Any]:
    """Everything that a training depends on besides our sources and the libraries, for its `Checkpoint`."""
    devices = tf.distribute.get_strategy().num_replicas_in_sync
    return [recipe.model_dump(), seed, settings.model_dump(), devices, *(split.digest() for split in splits)]


def train(
    recipe: Recipe,
    training: Split,
    validation: Split,
    *,
    classes: int,
    seed: int,
    checkpoint: Checkpoint,
    log_dir: Path | None = None,
) -> Result:
    """Trains one model; with the same arguments on the same kind of processor, to the same bytes.

    Args:
        recipe: the network and how it learns.
        training: examples to learn from, and to hold more out from where the recipe asks for it.
        validation: examples to watch.
        classes: number of classes.
        seed: of the initial weights, the order of the examples, their distortions, dropout and what is held out.
        checkpoint: where the state after each epoch is kept, and taken up again after an interruption.
        log_dir: where TensorBoard finds what it shows; without, nothing is written.

    Raises:
        UserError: the training diverged, or the network does not fit the images, or a batch the devices.
    """
    devices = tf.distribute.get_strategy().num_replicas_in_sync
    if recipe.batch_size % devices:
        raise UserError(f"a batch_size of {recipe.batch_size} cannot be shared by {devices} devices: take a multiple")
    if recipe.validation_fraction:
        training, validation = holdout.hold_out(training, validation, recipe.validation_fraction, seed)
    members, histories = [], []
    for number in range(1, recipe.members + 1):
        name = f"member{number}" if recipe.members > 1 else recipe.model.architecture
        network, history = _train_network(
            recipe,
            training,
            validation,
            classes=classes,
            seed=ensembles.member_seed(seed, number),
            checkpoint=checkpoint.member(number),
            log_dir=log_dir / name if log_dir and recipe.members > 1 else log_dir,
        )
        members.append(with_probabilities(network, recipe, name))
        histories.append(history)

    def whole(temperature: float) -> keras.Model:
        if recipe.members == 1:
            return with_probabilities(network, recipe, name, temperature)
        model = ensembles.average(members, "ensemble", temperature)
        # Each member keeps its own optimiser and its state; this one, without a state, makes the whole complete.
        losses.compile_model(model, keras.optimizers.SGD(), recipe.loss, from_logits=False)
        return model

    model, temperature = whole(1), 1.0
    if recipe.calibrate:
        temperature = calibration.temperature(validation.labels, keras_file.probabilities(model, validation.images))
        model = whole(temperature)
    return Result(
        model,
        _mean_history(histories),
        summarize(model, recipe, training, validation, classes)
        | {"epochs": sum(map(len, histories)), "temperature": temperature},
        sum(row["seconds"] for history in histories for row in history),
    )


def _train_network(
    recipe: Recipe,
    training: Split,
    validation: Split,
    *,
    classes: int,
    seed: int,
    checkpoint: Checkpoint,
    log_dir: Path | None,
) -> tuple[keras.Model, History]:
    """One network from pixels to logits, with the weights to keep, and its history."""
    keras.utils.set_random_seed(seed)
    network = architectures.build(recipe.model, training.images.shape[1:], classes)
    images, targets = training.images, encode(training.labels, classes, recipe.loss)
    if recipe.outliers:
        extra = outliers.make(training, round(recipe.outliers * len(training)), seed)
        images = np.concatenate([images, extra])
        targets = np.concatenate([targets, uniform_targets(len(extra), classes)])
    steps = recipe.steps_per_epoch or batches.steps_per_pass(len(images), recipe.batch_size)
    optimizer = optimizers.build(recipe.optimizer, recipe.schedule, steps * recipe.epochs)
    optimizer.build(network.trainable_variables)
    losses.compile_model(network, optimizer, recipe.loss, from_logits=True, outliers=recipe.outliers > 0)

    terminal = sys.stdout.isatty()
    watcher = Watcher(network, recipe, checkpoint, prints=not terminal)
    if not watcher.finished:
        first_epoch = len(watcher.state.history)
        learnt = batches.shuffled(
            images,
            targets,
            batch_size=recipe.batch_size,
            augmentation=recipe.augmentation,
            seed=seed,
            steps=steps * recipe.epochs,
            first_step=steps * first_epoch,
        )
        watched = batches.in_order(validation.images, encode(validation.labels, classes, recipe.loss))
        averaging = [AveragedValidation()] if recipe.optimizer.ema else []
        logging = [tensorboard.open_log(log_dir, recipe, network, learnt)] if log_dir else []
        LOOPS[recipe.loop](
            network,
            learnt,
            watched,
            steps=steps,
            first_epoch=first_epoch,
            epochs=recipe.epochs,
            callbacks=[*averaging, watcher, *logging],
            verbose=int(terminal),
        )
    if watcher.state.best:
        checkpoints.assign(network.variables, watcher.state.best)
    else:
        optimizer.finalize_variable_values(network.trainable_variables)
    if log_dir:
        tensorboard.log_mistakes(log_dir, network, validation)
    return network, watcher.state.history


def with_probabilities(network: keras.Model, recipe: Recipe, name: str, temperature: float = 1) -> keras.Model:
    """The same weights and optimiser under a softmax: every saved model answers probabilities."""
    probabilities = ensembles.softmax(network.output, temperature)
    model = keras.Model(network.input, probabilities, name=name)
    losses.compile_model(model, network.optimizer, recipe.loss, from_logits=False)
    return model


def summarize(
    model: keras.Model, recipe: Recipe, training: Split, validation: Split, classes: int
) -> dict[str, float | int]:
    """What a trained model does on the splits that it was made with."""
    figures: dict[str, float | int] = {}
    for prefix, split in (("", training), ("val_", validation)):
        targets = encode(split.labels, classes, recipe.loss)
        found = model.evaluate(batches.in_order(split.images, targets), return_dict=True, verbose=0)
        figures |= {f"{prefix}loss": found["cross_entropy"], f"{prefix}accuracy": found["accuracy"]}
    return figures | {"weights": model.count_params()}


def _mean_history(histories: list[History]) -> History:
    columns = [name for name in histories[0][0] if name not in ("epoch", "seconds")]
    mean = []
    for epoch in range(1, max(map(len, histories)) + 1):
        rows = [history[epoch - 1] for history in histories if len(history) >= epoch]
        mean.append({"epoch": epoch, **{name: sum(row[name] for row in rows) / len(rows) for name in columns}})
    return mean

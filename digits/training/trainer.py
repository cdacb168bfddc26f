"""Trains a recipe: takes training and validation splits, returns a fitted model and its history."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits import architectures
from digits.core.errors import UserError
from digits.inputs import batches, training_data
from digits.inputs.batches import Examples
from digits.inputs.streaming import StreamedSplit
from digits.inputs.targets import encode
from digits.metrics import calibration
from digits.models import keras_file
from digits.params import Recipe
from digits.params.base import Section
from digits.splits import holdout
from digits.splits.split import Split
from digits.training import checkpoints, devices, ensembles, losses, optimizers, tensorboard
from digits.training.callbacks import AveragedValidation, EpochRecorder, best_epoch
from digits.training.checkpoints import Checkpoint
from digits.training.loops import LOOPS

History = list[dict[str, Any]]


@dataclass(frozen=True)
class Result:
    """The result of a training.

    Attributes:
        model: from uint8 `[N, H, W, C]` to probabilities float32 `[N, classes]`, compiled.
        history: one row an epoch: `epoch` (from 1), `loss`, `accuracy`, `val_loss`, `val_accuracy`, and the
            `learning_rate` after the epoch. The losses are cross-entropies in nats, means over the examples; those of
            the training split are measured during training, with distortions and dropout. For an ensemble, the mean
            over the members that were still training.
        summary: `val_loss` and `val_accuracy` of the final model; `loss` and `accuracy` on the training split, from
            the row of the history whose weights were kept; its number of `weights`; the total number of `epochs` of all
            members; and the `temperature` that divides the logits.
        seconds: duration of the epochs, including validation and those before an interruption.
    """

    model: keras.Model
    history: History
    summary: dict[str, Any]
    seconds: float


def identity(recipe: Recipe, seed: int, settings: Sequence[Section], *splits: Split | StreamedSplit) -> dict[str, Any]:
    """Returns all that a training depends on besides our sources and the libraries, for its `Checkpoint`."""
    return {
        "recipe": recipe.model_dump(),
        "seed": seed,
        "settings": [part.model_dump() for part in settings],
        "devices": tf.distribute.get_strategy().num_replicas_in_sync,
        "data": [split.digest() for split in splits],
    }


def train(
    recipe: Recipe,
    training: Split | StreamedSplit,
    validation: Split,
    *,
    classes: int,
    seed: int,
    checkpoint: Checkpoint,
    log_dir: Path | None = None,
    strategy: tf.distribute.Strategy | None = None,
    on_epoch: Callable[[History], None] = lambda _: None,
) -> Result:
    """Trains one model; the same arguments on the same kind of processor give the same bytes.

    Args:
        recipe: the network and its training options.
        training: examples to train on, in memory or streamed; some of those in memory move to `validation` if the
            recipe has its own `validation_fraction`.
        validation: examples to validate on.
        classes: number of classes.
        seed: of initial weights, order of the examples, distortions, dropout and the examples that move.
        checkpoint: where the state is saved after each epoch, and loaded from after an interruption.
        log_dir: the folder of the TensorBoard logs; None for no logs.
        strategy: of `devices.strategy`, over whose devices the networks are trained; None for one device.
        on_epoch: called after each epoch with the history so far, as in `Result`.

    Raises:
        UserError: the training diverged, the network does not fit the images, the devices cannot share a batch, images
            of a stream should move, or the workers do not train the same or lost one of them.
    """
    strategy = strategy or tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    if recipe.batch_size % replicas:
        raise UserError(f"a batch_size of {recipe.batch_size} cannot be shared by {replicas} devices: take a multiple")
    if recipe.validation_fraction:
        if isinstance(training, StreamedSplit):
            raise UserError(
                "validation_fraction: no images can be moved out of a training split larger than train.memory_mb; "
                "raise train.memory_mb, or set validation_fraction to null and change preprocess.validation_fraction"
            )
        training, validation = holdout.enlarge_validation(training, validation, recipe.validation_fraction, seed)
    jobs = _jobs(Job(recipe, training, validation, classes, seed, checkpoint, log_dir, recipe.model.architecture))
    networks: list[keras.Model] = []
    histories: list[History] = []
    with devices.scope(strategy):
        for one in jobs:
            network, history = _train_network(one, lambda unfinished: on_epoch(_mean_history([*histories, unfinished])))
            networks.append(network)
            histories.append(history)
    # From here on outside of the strategy: what follows runs on one device, without the other workers.
    for network, one in zip(networks, jobs, strict=True):
        if one.log_dir:
            tensorboard.log_mistakes(one.log_dir, keras.Model(network.input, network.output), one.validation)
    model, temperature = _assemble(networks, jobs, 1), 1.0
    print(f"measuring the model on {len(validation):,} validation images", flush=True)
    probabilities = keras_file.probabilities(model, validation.images)
    if recipe.calibrate:
        temperature = calibration.temperature(validation.labels, probabilities)
        model = _assemble(networks, jobs, temperature)
        probabilities = calibration.apply_temperature(probabilities, temperature)
    return Result(
        model,
        _mean_history(histories),
        _summarize(probabilities, validation.labels, [_final_row(recipe, history) for history in histories])
        | {"weights": model.count_params(), "epochs": sum(map(len, histories)), "temperature": temperature},
        sum(row["seconds"] for history in histories for row in history),
    )


def _final_row(recipe: Recipe, history: History) -> dict[str, Any]:
    """Returns the row of the epoch whose weights are kept."""
    stopping = recipe.early_stopping
    return history[best_epoch(history, stopping.monitor) - 1 if stopping and stopping.restore_best_weights else -1]


@dataclass(frozen=True)
class Job:
    """The training of one network: the arguments of `train`, and a name for the network."""

    recipe: Recipe
    training: Split | StreamedSplit
    validation: Split
    classes: int
    seed: int
    checkpoint: Checkpoint
    log_dir: Path | None
    name: str


def _jobs(job: Job) -> list[Job]:
    """Returns one job per member, each with its own seed, checkpoint and log; one job for a single member."""
    if job.recipe.members == 1:
        return [replace(job, checkpoint=job.checkpoint.member(1))]
    return [
        replace(
            job,
            seed=ensembles.member_seed(job.seed, number),
            checkpoint=job.checkpoint.member(number),
            log_dir=job.log_dir / f"member{number}" if job.log_dir else None,
            name=f"member{number}",
        )
        for number in range(1, job.recipe.members + 1)
    ]


def _train_network(job: Job, report: Callable[[History], None]) -> tuple[keras.Model, History]:
    """Trains one network from pixels to logits; returns it with its final weights, and its history."""
    recipe = job.recipe
    keras.utils.set_random_seed(job.seed)
    # Before any variable: the chief sends each to the other workers, whose own must have its shape.
    state = job.checkpoint.load()
    devices.check_agreement(job.checkpoint.fingerprint, len(state.history))
    network = architectures.build(
        recipe.model, tuple(job.training.image_shape), job.classes, background=recipe.outlier_share > 0
    )
    examples = training_data.with_outliers(job.training, recipe, job.classes, job.seed)
    steps = recipe.steps_per_epoch or batches.steps_per_pass(len(examples), recipe.batch_size)
    optimizer = optimizers.build(recipe.optimizer, recipe.schedule, steps * recipe.epochs)
    optimizer.build(network.trainable_variables)
    losses.compile_model(network, optimizer, recipe.loss, from_logits=True, outliers=recipe.outlier_share > 0)

    recorder = EpochRecorder(network, recipe, job.checkpoint, state, prints=not sys.stdout.isatty(), report=report)
    if not recorder.finished:
        with training_data.naming_damage(job.training):
            _fit(job, network, recorder, examples, steps)
    if recorder.state.best:
        checkpoints.assign(network.variables, recorder.state.best)
    else:
        optimizer.finalize_variable_values(network.trainable_variables)
    return network, recorder.state.history


def _fit(job: Job, network: keras.Model, recorder: EpochRecorder, examples: Examples, steps: int) -> None:
    """Runs the remaining epochs, `steps` batches each."""
    recipe, first_epoch = job.recipe, len(recorder.state.history)
    training = batches.shuffled(
        examples,
        batch_size=recipe.batch_size,
        augmentation=recipe.augmentation,
        seed=job.seed,
        steps=steps * recipe.epochs,
        first_step=steps * first_epoch,
        undistorted_steps=round(steps * recipe.undistorted_epochs),
    )
    validation_targets = encode(job.validation.labels, job.classes, recipe.loss)
    averaging = [AveragedValidation()] if recipe.optimizer.ema else []
    logging = [tensorboard.open_log(job.log_dir, recipe, network, training)] if job.log_dir else []
    LOOPS[recipe.loop](
        network,
        training,
        batches.in_order(job.validation.images, validation_targets),
        steps=steps,
        first_epoch=first_epoch,
        epochs=recipe.epochs,
        callbacks=[*averaging, recorder, *logging],
        verbose=int(sys.stdout.isatty()),
    )


def _assemble(networks: Sequence[keras.Model], jobs: Sequence[Job], temperature: float) -> keras.Model:
    """Combines the networks and views into one compiled model of probabilities, calibrated by the temperature."""
    recipe, single = jobs[0].recipe, len(jobs) == 1
    if single and recipe.views == 1:
        return with_probabilities(networks[0], recipe, jobs[0].name, temperature)
    if single:  # the whole model has the optimiser: Keras saves an optimiser of two nested models with the inner one
        members = [_probabilities(networks[0], "one_view")]
        optimizer = optimizers.to_save(networks[0].optimizer)
    else:  # each member keeps its optimiser and state, unless that is ours; one without a state completes the model
        members = [with_probabilities(network, recipe, job.name) for network, job in zip(networks, jobs, strict=True)]
        optimizer = keras.optimizers.SGD()
    model = ensembles.average(members, jobs[0].name if single else "ensemble", temperature, recipe.views)
    losses.compile_model(model, optimizer, recipe.loss, from_logits=False)
    return model


def with_probabilities(network: keras.Model, recipe: Recipe, name: str, temperature: float = 1) -> keras.Model:
    """Adds a softmax to a network, with the same weights and the optimiser of `optimizers.to_save`.

    Every saved model returns probabilities.
    """
    model = _probabilities(network, name, temperature)
    losses.compile_model(model, optimizers.to_save(network.optimizer), recipe.loss, from_logits=False)
    return model


def _probabilities(network: keras.Model, name: str, temperature: float = 1) -> keras.Model:
    return keras.Model(network.input, ensembles.softmax(network.output, temperature), name=name)


def _summarize(
    probabilities: np.ndarray, labels: np.ndarray, final_rows: Sequence[dict[str, Any]]
) -> dict[str, float | int]:
    """Measures the model on the validation split; on the training split its networks were measured while training."""
    true = np.maximum(probabilities[np.arange(len(labels)), labels], calibration.SMALLEST)
    return {
        **{column: sum(row[column] for row in final_rows) / len(final_rows) for column in ("loss", "accuracy")},
        "val_loss": float(-np.log(true).mean()),
        "val_accuracy": float((probabilities.argmax(axis=1) == labels).mean()),
    }


def _mean_history(histories: Sequence[History]) -> History:
    columns = [name for name in histories[0][0] if name not in ("epoch", "seconds")]
    mean = []
    for epoch in range(1, max(map(len, histories)) + 1):
        rows = [history[epoch - 1] for history in histories if len(history) >= epoch]
        mean.append({"epoch": epoch, **{name: sum(row[name] for row in rows) / len(rows) for name in columns}})
    return mean

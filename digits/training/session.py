"""Prepares the training of a recipe: configures TensorFlow, reads the data, and finds where a checkpoint left off."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from digits.inputs import training_data
from digits.inputs.streaming import StreamedSplit
from digits.models import determinism
from digits.params import Processor, Recipe, Train
from digits.splits import tfrecords
from digits.splits.split import Split
from digits.splits.tfrecords import Spec
from digits.training import devices, trainer
from digits.training.checkpoints import Checkpoint
from digits.training.trainer import History, Result


@dataclass(frozen=True)
class Session:
    """One training, ready to start, or to continue after an interruption.

    Attributes:
        recipe: the network and its training options.
        seed: of everything random in the training.
        spec: of the dataset.
        training: in memory, or streamed from the shards.
        validation: the split to validate on.
        strategy: the devices and workers.
        checkpoint: valid for this recipe, seed, data and code; `discard` it once the outputs are written.
        is_chief: whether this process is the one that writes; without several workers it is.
        provenance: the record of all this that the model file keeps.
    """

    recipe: Recipe
    seed: int
    spec: Spec
    training: Split | StreamedSplit
    validation: Split
    strategy: tf.distribute.Strategy
    checkpoint: Checkpoint
    is_chief: bool
    provenance: dict[str, Any]

    def train(self, log_dir: Path | None = None, on_epoch: Callable[[History], None] = lambda _: None) -> Result:
        """Trains the recipe with `trainer.train`; the chief alone logs to the folder, and calls `on_epoch`."""
        return trainer.train(
            self.recipe,
            self.training,
            self.validation,
            classes=len(self.spec.classes),
            seed=self.seed,
            checkpoint=self.checkpoint,
            log_dir=log_dir if self.is_chief else None,
            strategy=self.strategy,
            on_epoch=on_epoch if self.is_chief else lambda _: None,
        )


def prepare(
    recipe: Recipe, settings: Train, processor: Processor, *, seed: int, records: Path, drawings: Path, checkpoint: Path
) -> Session:
    """Must be called before any other use of TensorFlow.

    Args:
        recipe: the network and its training options.
        settings: what all recipes share.
        processor: what TensorFlow uses of it.
        seed: of everything random in the training.
        records: the folder of the TFRecords.
        drawings: the file of the drawings that a recipe may add to the training images.
        checkpoint: where an interrupted training is continued from.

    Raises:
        UserError: the records are damaged, or the workers do not meet.
    """
    determinism.configure(processor, settings.precision)
    strategy = devices.strategy(settings.strategy)
    chief = devices.is_chief(strategy)
    spec = tfrecords.read_spec(records)
    training = training_data.read(records, drawings, recipe, memory_mb=settings.memory_mb, seed=seed)
    validation = tfrecords.read(records, "validation")
    with strategy.scope():
        identity = trainer.identity(recipe, seed, (processor, settings), training, validation)
        identity["processor"] = determinism.processor_class(processor)
    return Session(
        recipe=recipe,
        seed=seed,
        spec=spec,
        training=training,
        validation=validation,
        strategy=strategy,
        checkpoint=Checkpoint(checkpoint, identity, writes=chief),
        is_chief=chief,
        provenance={
            "dataset": spec.name,
            "data": dict(zip(("training", "validation"), identity["data"], strict=True)),
            "seed": seed,
            "parameters": recipe.model_dump(),
            "precision": settings.precision,
            **determinism.describe(processor),
        },
    )

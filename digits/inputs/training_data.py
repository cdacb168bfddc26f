"""The training split of a recipe: in memory if it fits, streamed if not, with drawings and outliers added."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import tensorflow as tf

from digits.inputs import drawn_digits, outliers
from digits.inputs.batches import Examples, InMemory
from digits.inputs.streaming import Added, Stream, StreamedSplit, group_size
from digits.inputs.targets import encode, uniform_targets
from digits.params import Recipe
from digits.splits import tfrecords
from digits.splits.split import Split

SAMPLE = 10_000  # images of a streamed split whose pieces become outliers; at most one group's


def read(directory: Path, drawings: Path, recipe: Recipe, *, memory_mb: int, seed: int) -> Split | StreamedSplit:
    """Reads the training split, or finds its shards if they take more than `memory_mb`; adds the recipe's drawings.

    Args:
        directory: of the shards.
        drawings: a file of drawings.
        recipe: sets the share of drawings.
        memory_mb: the parameter `train.memory_mb`.
        seed: of which drawings come once more than the others.

    Raises:
        UserError: a shard is missing, damaged or too large, or the recipe adds drawings to a set that takes none.
    """
    classes, share = tfrecords.read_spec(directory).classes, recipe.drawing_share
    shards = tfrecords.find(directory, "train")
    if sum(shards.sizes) <= memory_mb * 1e6:
        split = tfrecords.read(directory, "train")
        return drawn_digits.with_drawings(split, drawings, share, classes=classes, seed=seed)
    size = group_size(shards, memory_mb, share + recipe.outlier_share * (1 + share))
    if not share:
        return StreamedSplit(shards, size)
    digits = drawn_digits.in_random_order(drawings, classes=classes, image_shape=shards.image_shape, seed=seed)
    return StreamedSplit(shards, size, digits, round(share * len(shards)))


def with_outliers(split: Split | StreamedSplit, recipe: Recipe, classes: int, seed: int) -> Examples:
    """Returns the training examples of a recipe: those of the split, and its share of outliers.

    The outliers of a stream are as many as one of its groups takes, and are added to each: they do not grow with the
    set.

    Args:
        split: images and labels.
        recipe: sets the encoding of labels and the share of outliers.
        classes: number of classes.
        seed: of the outliers.

    Returns:
        The examples; their `fetch` gives images, uint8 `[B, H, W, C]`, and targets, `[B, ...]`, as
        `digits.inputs.targets.encode` makes them. The targets of outliers are the same for all classes.

    Raises:
        UserError: a shard of a stream is damaged.
    """
    count = round(recipe.outlier_share * len(split))
    if isinstance(split, StreamedSplit):
        return _stream(split, count, recipe, classes, seed)
    images, targets = split.images, encode(split.labels, classes, recipe.loss)
    if count:
        outlier_images = outliers.make(split, count, seed)
        images = np.concatenate([images, outlier_images])
        targets = np.concatenate([targets, uniform_targets(count, classes)])
    return InMemory(images, targets)


def naming_damage(split: Split | StreamedSplit) -> AbstractContextManager[None]:
    """Turns a failed read of a stream into a `UserError` that names the shard; a split in memory reads nothing."""
    return tfrecords.naming_damage(split.shards) if isinstance(split, StreamedSplit) else nullcontext()


def _stream(split: StreamedSplit, count: int, recipe: Recipe, classes: int, seed: int) -> Stream:
    targets, added = encode(np.arange(classes), classes, recipe.loss), []
    if split.drawings:
        added.append(Added(_serialized(split.drawings), split.drawn))
    if count:
        sample = split.shards.sample(min(SAMPLE, len(split) // split.groups))
        images = outliers.make(sample, -(-count // split.groups), seed)
        # Their label is one more than the last class.
        added.append(Added(_serialized(Split(images, np.full(len(images), classes))), count))
        targets = np.concatenate([targets, uniform_targets(1, classes)])
    return Stream(split, added, targets)


def _serialized(split: Split) -> tf.Tensor:
    records = [tfrecords.serialize(image, int(label)) for image, label in zip(split.images, split.labels, strict=True)]
    return tf.constant(records, tf.string)

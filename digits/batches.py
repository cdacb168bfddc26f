"""From a split in memory to the batches that a network is fed, a pure function of seed, epoch and step."""

import math

import tensorflow as tf

from digits.augmentation import distort
from digits.examples import Split
from digits.params import Augmentation


def steps_per_epoch(split: Split, batch_size: int) -> int:
    """How many batches hold every example once; the last may be smaller."""
    return math.ceil(len(split) / batch_size)


def shuffled(
    split: Split, *, batch_size: int, augmentation: Augmentation, seed: int, epochs: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """Every epoch's batches one after the other: fully shuffled, distorted, prefetched.

    The order of an epoch depends on `seed` and the epoch's number, a batch's distortions on `seed` and the step's
    number, and on nothing that ran before: a run that starts at `first_epoch` sees what an undisturbed one sees.

    Returns:
        Pairs of images uint8 `[B, H, W, C]` and labels int64 `[B]`, `epochs - first_epoch` times
        `steps_per_epoch` of them.
    """
    steps = steps_per_epoch(split, batch_size)
    with tf.device("CPU"):
        images, labels = tf.constant(split.images), tf.constant(split.labels)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(tf.range(len(split)), seed=[seed, tf.cast(epoch, tf.int32)])

        def numbered(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return epoch * steps + step, order[step * batch_size :][:batch_size]

        return tf.data.Dataset.range(steps).map(numbered)

    def gather(step: tf.Tensor, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = tf.ensure_shape(tf.gather(images, indices), [None, *split.images.shape[1:]])
        return distort(batch, tf.stack([tf.cast(seed, tf.int64), step]), augmentation), tf.gather(labels, indices)

    return (
        tf.data.Dataset.range(first_epoch, epochs)
        .flat_map(epoch_batches)
        .map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def in_order(split: Split, batch_size: int = 1000) -> tf.data.Dataset:
    """The examples once, in their order, undistorted."""
    with tf.device("CPU"):
        slices = tf.data.Dataset.from_tensor_slices((split.images, split.labels))
    return slices.batch(batch_size).cache().prefetch(tf.data.AUTOTUNE)

"""The batches that a network is trained and validated on, a pure function of seed and step."""

import math
from typing import Protocol

import numpy as np
import tensorflow as tf

from digits.inputs.augmentation import distort
from digits.params import Augmentation


class Examples(Protocol):
    """Training examples: `InMemory`, or read from disk as a `digits.inputs.streaming.Stream`."""

    def __len__(self) -> int:
        """Returns the number of examples of a pass."""

    def references(self, *, batch_size: int, seed: int, steps: int, first_step: int) -> tf.data.Dataset:
        """Returns which examples each batch holds, pass after pass over the data, fully shuffled.

        The order of a pass depends only on `seed` and the pass's number; the last batch of a pass may be smaller.

        Returns:
            For each step from `first_step` to `steps` - 1: its number, int64, and references to the examples, `[B]`.
        """

    def fetch(self, references: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns images, uint8 `[B, H, W, C]`, and targets, `[B, ...]`, of the references of one batch."""


class InMemory:
    """Training examples in memory; their references are indices.

    Args:
        images: uint8 `[N, H, W, C]`.
        targets: `[N, ...]`.
    """

    def __init__(self, images: np.ndarray, targets: np.ndarray) -> None:
        with tf.device("CPU"):
            self.images, self.targets = tf.constant(images), tf.constant(targets)

    def __len__(self) -> int:
        return len(self.images)

    def references(self, *, batch_size: int, seed: int, steps: int, first_step: int) -> tf.data.Dataset:
        """See `Examples`; a pass is one permutation of all indices."""
        per_pass = steps_per_pass(len(self), batch_size)
        first_pass = first_step // per_pass

        def pass_batches(number: tf.Tensor) -> tf.data.Dataset:
            order = tf.random.experimental.stateless_shuffle(
                tf.range(len(self)), seed=[seed, tf.cast(number, tf.int32)]
            )

            def numbered(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                return number * per_pass + step, order[step * batch_size :][:batch_size]

            return tf.data.Dataset.range(per_pass).map(numbered)

        passes = tf.data.Dataset.range(first_pass, -(-steps // per_pass)).flat_map(pass_batches)
        return passes.skip(first_step - first_pass * per_pass).take(steps - first_step)

    def fetch(self, references: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Examples`."""
        images = tf.ensure_shape(tf.gather(self.images, references), [None, *self.images.shape[1:]])
        return images, tf.gather(self.targets, references)


PREFETCHED = 4  # batches

_OPTIONS = tf.data.Options()
# Several workers make the same batches, and each takes its share of every one.
_OPTIONS.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
# With autotuning on, half of the trainings waited 9 to 35 s for its thread after the last epoch (docs/log.md).
_OPTIONS.autotune.enabled = False


def steps_per_pass(examples: int, batch_size: int) -> int:
    """Returns the number of batches that hold every example once; the last may be smaller."""
    return math.ceil(examples / batch_size)


def shuffled(
    examples: Examples,
    *,
    batch_size: int,
    augmentation: Augmentation,
    seed: int,
    steps: int,
    first_step: int = 0,
    undistorted_steps: int = 0,
) -> tf.data.Dataset:
    """Returns the batches of a run, pass after pass over the data: fully shuffled, distorted, prefetched.

    The order of a pass depends only on `seed` and the pass's number; a batch's distortions only on `seed` and the
    step's number. A run that starts at `first_step` gets the same batches as an uninterrupted one.

    Args:
        examples: what the batches are made of.
        batch_size: examples a batch; the last of a pass may be smaller. Several devices get equal shares of each: the
            last is filled up to a multiple of their number with its own first examples.
        augmentation: the largest distortions.
        seed: of order and distortions.
        steps: batches of the whole run.
        first_step: the batches before it are left out.
        undistorted_steps: of the last of `steps`, whose images are not distorted.

    Returns:
        `steps - first_step` pairs of images uint8 `[B, H, W, C]` and targets `[B, ...]`.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync

    def batch(step: tf.Tensor, references: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if replicas > 1:
            size = tf.size(references)
            references = tf.gather(references, tf.range(size + -size % replicas) % size)
        images, targets = examples.fetch(references)
        step_seed = tf.stack([tf.cast(seed, tf.int64), -1 - step])  # negative, so that no pass has this seed
        if undistorted_steps < steps:
            images = tf.cond(
                step < steps - undistorted_steps, lambda: distort(images, step_seed, augmentation), lambda: images
            )
        return images, targets

    references = examples.references(batch_size=batch_size, seed=seed, steps=steps, first_step=first_step)
    batches = references.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return batches.prefetch(PREFETCHED).with_options(_OPTIONS)


def in_order(images: np.ndarray, targets: np.ndarray, batch_size: int = 1000) -> tf.data.Dataset:
    """Returns the examples once, in order, undistorted; the devices can share each batch but the last equally."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    batch_size = max(min(batch_size, len(images)) // replicas, 1) * replicas
    with tf.device("CPU"):
        slices = tf.data.Dataset.from_tensor_slices((images, targets))
    return slices.batch(batch_size).cache().prefetch(PREFETCHED).with_options(_OPTIONS)

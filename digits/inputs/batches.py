"""The batches that a network is trained and validated on, a pure function of seed and step."""

import math

import numpy as np
import tensorflow as tf

from digits.inputs import outliers
from digits.inputs.augmentation import distort
from digits.inputs.targets import encode, uniform_targets
from digits.params import Augmentation, Recipe
from digits.splits.split import Split

# Several workers make the same batches, and each takes its share of every one.
_SHARED_BY_BATCH = tf.data.Options()
_SHARED_BY_BATCH.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA


def steps_per_pass(examples: int, batch_size: int) -> int:
    """Returns the number of batches that hold every example once; the last may be smaller."""
    return math.ceil(examples / batch_size)


def training_arrays(split: Split, recipe: Recipe, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the training images and targets of a recipe: those of the split, then its share of outliers.

    Args:
        split: images and labels.
        recipe: sets the encoding of labels and the share of outliers.
        classes: number of classes.
        seed: of the outliers.

    Returns:
        Images, uint8 `[N, H, W, C]`, and targets as `digits.inputs.targets.encode` makes them, `[N, ...]`.
    """
    images, targets = split.images, encode(split.labels, classes, recipe.loss)
    if not recipe.outlier_share:
        return images, targets
    outlier_images = outliers.make(split, round(recipe.outlier_share * len(split)), seed)
    outlier_targets = uniform_targets(len(outlier_images), classes)
    return np.concatenate([images, outlier_images]), np.concatenate([targets, outlier_targets])


def shuffled(
    images: np.ndarray,
    targets: np.ndarray,
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
        images: uint8 `[N, H, W, C]`.
        targets: `[N, ...]`.
        batch_size: examples a batch; the last of a pass may be smaller. Several devices get equal shares of each: the
            last is filled up to a multiple of their number with the first examples of the pass.
        augmentation: the largest distortions.
        seed: of order and distortions.
        steps: batches of the whole run.
        first_step: the batches before it are left out.
        undistorted_steps: of the last of `steps`, whose images are not distorted.

    Returns:
        `steps - first_step` pairs of images uint8 `[B, H, W, C]` and targets `[B, ...]`.
    """
    per_pass = steps_per_pass(len(images), batch_size)
    missing = -len(images) % tf.distribute.get_strategy().num_replicas_in_sync
    with tf.device("CPU"):
        all_images, all_targets = tf.constant(images), tf.constant(targets)

    def pass_batches(number: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(tf.range(len(images)), seed=[seed, tf.cast(number, tf.int32)])
        order = tf.concat([order, order[:missing]], axis=0)

        def numbered(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return number * per_pass + step, order[step * batch_size :][:batch_size]

        return tf.data.Dataset.range(per_pass).map(numbered)

    def gather(step: tf.Tensor, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = tf.ensure_shape(tf.gather(all_images, indices), [None, *images.shape[1:]])
        batch_seed = tf.stack([tf.cast(seed, tf.int64), -1 - step])  # negative, so that no pass has this seed
        if undistorted_steps < steps:
            batch = tf.cond(
                step < steps - undistorted_steps, lambda: distort(batch, batch_seed, augmentation), lambda: batch
            )
        return batch, tf.gather(all_targets, indices)

    first_pass = first_step // per_pass
    return (
        tf.data.Dataset.range(first_pass, -(-steps // per_pass))
        .flat_map(pass_batches)
        .skip(first_step - first_pass * per_pass)
        .take(steps - first_step)
        .map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(tf.data.AUTOTUNE)
        .with_options(_SHARED_BY_BATCH)
    )


def in_order(images: np.ndarray, targets: np.ndarray, batch_size: int = 1000) -> tf.data.Dataset:
    """Returns the examples once, in order, undistorted; the devices can share each batch equally."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    batch_size = max(min(batch_size, len(images)) // replicas, 1) * replicas
    with tf.device("CPU"):
        slices = tf.data.Dataset.from_tensor_slices((images, targets))
    return slices.batch(batch_size).cache().prefetch(tf.data.AUTOTUNE).with_options(_SHARED_BY_BATCH)

"""From a split in memory to the batches that a network is fed, a pure function of seed and step."""

import math

import numpy as np
import tensorflow as tf

from digits.inputs import outliers
from digits.inputs.augmentation import distort
from digits.inputs.targets import encode, uniform_targets
from digits.params import Augmentation, Recipe
from digits.splits.split import Split


def steps_per_pass(examples: int, batch_size: int) -> int:
    """How many batches hold every example once; the last may be smaller."""
    return math.ceil(examples / batch_size)


def training_arrays(split: Split, recipe: Recipe, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What a recipe learns from: the images of the split, then its share of outliers.

    Args:
        split: images and labels.
        recipe: says how labels are encoded and how many outliers there are.
        classes: number of classes.
        seed: of the outliers.

    Returns:
        Images, uint8 `[N, H, W, C]`, and targets as `digits.inputs.targets.encode` makes them, `[N, ...]`.
    """
    images, targets = split.images, encode(split.labels, classes, recipe.loss)
    if not recipe.outlier_share:
        return images, targets
    extra = outliers.make(split, round(recipe.outlier_share * len(split)), seed)
    return np.concatenate([images, extra]), np.concatenate([targets, uniform_targets(len(extra), classes)])


def shuffled(
    images: np.ndarray,
    targets: np.ndarray,
    *,
    batch_size: int,
    augmentation: Augmentation,
    seed: int,
    steps: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """The batches of a run one after the other, pass after pass over the data: fully shuffled, distorted, prefetched.

    The order of a pass depends on `seed` and the pass's number, a batch's distortions on `seed` and the step's number,
    and on nothing that ran before: a run that starts at `first_step` sees what an undisturbed one sees.

    Args:
        images: uint8 `[N, H, W, C]`.
        targets: `[N, ...]`.
        batch_size: examples a batch; the last of a pass may be smaller.
        augmentation: the largest distortions.
        seed: of order and distortions.
        steps: batches of the whole run.
        first_step: those before it are left out.

    Returns:
        `steps - first_step` pairs of images uint8 `[B, H, W, C]` and targets `[B, ...]`.
    """
    per_pass = steps_per_pass(len(images), batch_size)
    with tf.device("CPU"):
        all_images, all_targets = tf.constant(images), tf.constant(targets)

    def pass_batches(number: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(tf.range(len(images)), seed=[seed, tf.cast(number, tf.int32)])

        def numbered(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return number * per_pass + step, order[step * batch_size :][:batch_size]

        return tf.data.Dataset.range(per_pass).map(numbered)

    def gather(step: tf.Tensor, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = tf.ensure_shape(tf.gather(all_images, indices), [None, *images.shape[1:]])
        own = tf.stack([tf.cast(seed, tf.int64), -1 - step])  # no pass has a number below 0
        return distort(batch, own, augmentation), tf.gather(all_targets, indices)

    first_pass = first_step // per_pass
    return (
        tf.data.Dataset.range(first_pass, -(-steps // per_pass))
        .flat_map(pass_batches)
        .skip(first_step - first_pass * per_pass)
        .take(steps - first_step)
        .map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def in_order(images: np.ndarray, targets: np.ndarray, batch_size: int = 1000) -> tf.data.Dataset:
    """The examples once, in their order, undistorted; where several devices share a batch, they can."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    batch_size = max(min(batch_size, len(images)) // replicas, 1) * replicas
    with tf.device("CPU"):
        slices = tf.data.Dataset.from_tensor_slices((images, targets))
    return slices.batch(batch_size).cache().prefetch(tf.data.AUTOTUNE)

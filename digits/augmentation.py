"""Random affine distortions of a batch of images, a pure function of a seed, in a single resample."""

import math

import tensorflow as tf

from digits.params import Augmentation


def distort(images: tf.Tensor, seed: tf.Tensor, limits: Augmentation) -> tf.Tensor:
    """Rotates, zooms, shears and shifts each image by its own random amount; what comes into view is black.

    One bilinear resample does it all: chained layers would blur the image three times.

    Args:
        images: uint8 `[N, H, W, C]`.
        seed: int `[2]`; the same seed gives the same distortions, whatever ran before.
        limits: the largest amounts; drawn uniformly between minus and plus these.

    Returns:
        uint8 `[N, H, W, C]`.
    """
    height, width = images.shape[1:3]
    with tf.device("CPU"):  # where tf.data runs; a GPU rounds differently
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=_transforms(tf.shape(images)[0], height, width, seed, limits),
            output_shape=[height, width],
            interpolation="BILINEAR",
            fill_mode="CONSTANT",
            fill_value=0.0,
        )


def _transforms(count: tf.Tensor, height: int, width: int, seed: tf.Tensor, limits: Augmentation) -> tf.Tensor:
    """Rows `[a0, a1, a2, b0, b1, b2, 0, 0]`: output (x, y) shows input (a0 x + a1 y + a2, b0 x + b1 y + b2)."""
    amounts = tf.random.stateless_uniform([6, count], seed, minval=-1.0, maxval=1.0)
    angle = amounts[0] * math.radians(limits.rotation)
    zoom_x, zoom_y = 1 + amounts[1] * limits.zoom, 1 + amounts[2] * limits.zoom
    shear = amounts[3] * limits.shear
    shift_x, shift_y = amounts[4] * limits.shift * width, amounts[5] * limits.shift * height

    cos, sin = tf.cos(angle), tf.sin(angle)
    a0, a1 = cos / zoom_x, (cos * shear - sin) / zoom_x
    b0, b1 = sin / zoom_y, (sin * shear + cos) / zoom_y
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2  # the point that stays in place without a shift
    a2 = centre_x - a0 * centre_x - a1 * centre_y + shift_x
    b2 = centre_y - b0 * centre_x - b1 * centre_y + shift_y
    zero = tf.zeros_like(angle)
    return tf.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)

"""Stateless random augmentation: affine, stroke width, resolution, noise."""

import math

import tensorflow as tf

from digits.params import Augmentation

COARSE = 0.4  # scale of the reduced image: the resolution of an 8x8 digit that is scaled to 20 of 28 pixels


# Without AutoGraph, which writes a temporary file: no branch here depends on a tensor's value.
@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def distort(images: tf.Tensor, seed: tf.Tensor, limits: Augmentation) -> tf.Tensor:
    """Distorts each image by its own random amounts; pixels from outside the image are black.

    Args:
        images: uint8 `[N, H, W, C]`, light on dark.
        seed: int `[2]`; the same seed gives the same distortions, whatever ran before.
        limits: the largest amounts; 0 switches a distortion off.

    Returns:
        uint8 `[N, H, W, C]`.
    """
    with tf.device("CPU"):  # where tf.data runs; a GPU rounds differently
        images = _move(images, seed, limits)
        changes = ((limits.weight, _reweigh), (limits.coarse, _coarsen), (limits.noise, _add_noise))
        if not any(limit for limit, _ in changes):
            return images
        pixels = tf.cast(images, tf.float32)
        for number, (limit, change) in enumerate(changes, start=1):
            if limit:
                pixels = change(
                    pixels, limit, tf.random.experimental.stateless_fold_in(tf.cast(seed, tf.int64), number)
                )
        return tf.cast(tf.round(tf.clip_by_value(pixels, 0.0, 255.0)), tf.uint8)


def _move(images: tf.Tensor, seed: tf.Tensor, limits: Augmentation) -> tf.Tensor:
    """Rotates, zooms, shears and shifts in one bilinear resampling; several in a row would blur more."""
    height, width = images.shape[1:3]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=_transforms(tf.shape(images)[0], height, width, seed, limits),
        output_shape=[height, width],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def _transforms(count: tf.Tensor, height: int, width: int, seed: tf.Tensor, limits: Augmentation) -> tf.Tensor:
    """Returns rows `[a0, a1, a2, b0, b1, b2, 0, 0]`: output (x, y) shows input (a0 x + a1 y + a2, b0 x + b1 y + b2)."""
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


def _reweigh(pixels: tf.Tensor, limit: float, seed: tf.Tensor) -> tf.Tensor:
    """Makes strokes wider or narrower, by a random part of a pixel on both sides."""
    amount = _uniform(pixels, seed, -limit, limit)
    wider = tf.nn.max_pool2d(pixels, 3, 1, "SAME")
    narrower = -tf.nn.max_pool2d(-pixels, 3, 1, "SAME")
    return pixels + tf.nn.relu(amount) * (wider - pixels) - tf.nn.relu(-amount) * (pixels - narrower)


def _coarsen(pixels: tf.Tensor, limit: float, seed: tf.Tensor) -> tf.Tensor:
    """Reduces the resolution of a random share `limit` of the images."""
    size = pixels.shape[1:3]
    small = tf.image.resize(pixels, [max(1, round(side * COARSE)) for side in size], "area")
    return tf.where(_uniform(pixels, seed, 0, 1) < limit, tf.image.resize(small, size, "bicubic"), pixels)


def _add_noise(pixels: tf.Tensor, limit: float, seed: tf.Tensor) -> tf.Tensor:
    """Adds normal noise, with a random standard deviation for each image."""
    deviation = 255 * _uniform(pixels, seed, 0, limit)
    return pixels + deviation * tf.random.stateless_normal(tf.shape(pixels), seed + 1)


def _uniform(pixels: tf.Tensor, seed: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Returns one uniform random number per image, `[N, 1, 1, 1]`."""
    return tf.random.stateless_uniform([tf.shape(pixels)[0], 1, 1, 1], seed, low, high)

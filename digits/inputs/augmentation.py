"""Stateless random augmentation: affine, stroke width, resolution, noise, corruption."""

import math

import tensorflow as tf

from digits.inputs.corruption import corrupt
from digits.params import Augmentation

COARSE = 0.4  # scale of the reduced image: the resolution of an 8x8 digit that is scaled to 20 of 28 pixels
NOISES = 512  # different patterns of noise; drawing new ones for each image takes longer than all other distortions


# Without AutoGraph, which writes a temporary file: no branch here depends on a tensor's value.
@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def distort(images: tf.Tensor, seed: tf.Tensor, limits: Augmentation) -> tf.Tensor:
    """Distorts each image by its own random amounts; pixels from outside the image are black.

    Args:
        images: uint8 `[N, H, W, C]`, light on dark.
        seed: int `[2]`; the same seed gives the same distortions, whatever ran before.
        limits: the largest amounts; 0 switches a distortion off. The first `limits.moved` of the images are rotated,
            zoomed, shifted and sheared; `limits.coarse` of the images, as many moved as not moved in proportion, lose
            resolution.

    Returns:
        uint8 `[N, H, W, C]`.
    """
    with tf.device("CPU"):  # where tf.data runs; a GPU rounds differently
        total = tf.shape(images)[0]
        moved, coarse = (_share(total, share) for share in (limits.moved, limits.coarse))
        images = tf.concat([_move(images[:moved], seed, limits), images[moved:]], axis=0)
        if not (limits.weight or limits.coarse or limits.noise or limits.corrupted):
            return images
        pixels = tf.cast(images, tf.float32)
        if limits.weight:
            pixels = _reweigh(pixels, limits.weight, _fold(seed, 1))
        if limits.coarse:  # around the end of the moved ones, so that moved and coarse are independent where they can
            first = tf.clip_by_value(moved - _share(coarse, limits.moved), 0, total - coarse)
            pixels = _coarsen(pixels, first, coarse)
        if limits.noise:
            pixels = _add_noise(pixels, limits.noise, _fold(seed, 2))
        if limits.corrupted:  # from both ends of the batch: half are moved, and the coarse ones are in the middle
            corrupted = _share(total, limits.corrupted)
            half = corrupted // 2
            pixels = tf.roll(corrupt(tf.roll(pixels, half, 0), _fold(seed, 3), corrupted), -half, 0)
        return tf.cast(tf.round(tf.clip_by_value(pixels, 0.0, 255.0)), tf.uint8)


def _share(total: tf.Tensor, share: float) -> tf.Tensor:
    return tf.cast(tf.round(share * tf.cast(total, tf.float32)), tf.int32)


def _fold(seed: tf.Tensor, number: int) -> tf.Tensor:
    return tf.random.experimental.stateless_fold_in(tf.cast(seed, tf.int64), number)


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
    """Makes strokes wider or narrower, by a random part of a pixel on both sides.

    The maximum of 3x3 pixels widens light strokes; the minimum, which narrows them, is the maximum of the negative.
    """
    amount = _uniform(pixels, seed, -limit, limit)
    signed = tf.sign(amount) * pixels
    return pixels + amount * (_maximum(_maximum(signed, axis=1), axis=2) - signed)


def _maximum(pixels: tf.Tensor, axis: int) -> tf.Tensor:
    """Returns the maximum of each pixel and its two neighbours along an axis."""
    shape = tf.shape(pixels)
    length = math.prod(pixels.shape[axis:])
    distance = length // pixels.shape[axis]  # of neighbours, in the lines of a matrix, which is faster to slice
    lines = tf.reshape(pixels, [-1, length])
    padded = tf.pad(lines, [[0, 0], [distance, distance]], constant_values=lines.dtype.min)
    before, after = padded[:, :length], padded[:, 2 * distance :]
    return tf.reshape(tf.maximum(tf.maximum(before, lines), after), shape)


def _coarsen(pixels: tf.Tensor, first: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Reduces the resolution of `count` images from `first` on, with one matrix for rows and one for columns.

    As two plain products of matrices: of stacks of matrices, TensorFlow 2.21 with oneDNN writes beyond its memory.
    """
    rows, columns = (_coarse_matrix(side) for side in pixels.shape[1:3])
    before, chosen, after = tf.split(pixels, [first, count, -1])
    fewer_columns = tf.tensordot(chosen, columns, [[2], [1]])  # [N, H, C, W]
    coarse = tf.transpose(tf.tensordot(fewer_columns, rows, [[1], [1]]), [0, 3, 2, 1])
    return tf.concat([before, coarse, after], axis=0)


def _coarse_matrix(side: int) -> tf.Tensor:
    """Returns what reducing a line of pixels by area and enlarging it bicubically does, as a matrix `[side, side]`."""
    with tf.init_scope():  # once, not in each step
        unit = tf.eye(side)[..., None]
        small = tf.image.resize(unit, [max(1, round(side * COARSE)), side], "area")
        return tf.image.resize(small, [side, side], "bicubic")[..., 0]


def _add_noise(pixels: tf.Tensor, limit: float, seed: tf.Tensor) -> tf.Tensor:
    """Adds one of `NOISES` patterns of normal noise, with a random sign and standard deviation for each image."""
    with tf.init_scope():
        patterns = tf.random.stateless_normal([NOISES, *pixels.shape[1:]], [0, 0])
    chosen = tf.random.stateless_uniform([tf.shape(pixels)[0]], seed + 1, 0, NOISES, tf.int32)
    return pixels + 255 * _uniform(pixels, seed, -limit, limit) * tf.gather(patterns, chosen)


def _uniform(pixels: tf.Tensor, seed: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Returns one uniform random number per image, `[N, 1, 1, 1]`."""
    return tf.random.stateless_uniform([tf.shape(pixels)[0], 1, 1, 1], seed, low, high)

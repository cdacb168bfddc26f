"""Stateless random corruption of training images: what may lie over a digit, behind it, or be wrong with the picture.

Each corrupted image gets one of `KINDS`: kinds of disturbance with wide ranges. Noise, specks, blur, covers, inversion
and light are also measured by `digits.evaluation.corruptions`, in other strengths. A network that has met several in
training reads better under others too (E. Rusak et al., "A simple way to make neural networks robust against diverse
image corruptions", https://arxiv.org/abs/2001.06057).
"""

import math
from collections.abc import Callable
from itertools import accumulate, pairwise

import tensorflow as tf

Corrupt = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def corrupt(pixels: tf.Tensor, seed: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Corrupts the first `count` images, each with one of `KINDS`, in about these shares.

    Args:
        pixels: float32 `[N, H, W, C]`, 0 to 255, light on dark.
        seed: int64 `[2]`; the same seed gives the same corruptions.
        count: int32, at most N.

    Returns:
        float32 `[N, H, W, C]`; values may lie outside 0 to 255.
    """
    ends = [count * weight // sum(KINDS.values()) for weight in accumulate(KINDS.values(), initial=0)]
    sizes = [end - start for start, end in pairwise(ends)]
    *parts, rest = tf.split(pixels, [*sizes, tf.shape(pixels)[0] - count])
    seeds = [tf.random.experimental.stateless_fold_in(seed, number) for number in range(len(KINDS))]
    return tf.concat([*(kind(part, s) for kind, part, s in zip(KINDS, parts, seeds, strict=True)), rest], axis=0)


def _uniform(pixels: tf.Tensor, seed: tf.Tensor, low: float, high: float, number: int = 0) -> tf.Tensor:
    """Returns a random number per image, `[N, 1, 1, 1]`; another for each `number`."""
    return tf.random.stateless_uniform([tf.shape(pixels)[0], 1, 1, 1], seed + number, low, high)


def _noise(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Adds normal noise."""
    return pixels + 255 * _uniform(pixels, seed, 0.1, 0.5) * tf.random.stateless_normal(tf.shape(pixels), seed + 9)


def _speckle(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Turns single pixels black or white."""
    chance = tf.random.stateless_uniform(tf.shape(pixels), seed + 9)
    share = _uniform(pixels, seed, 0, 0.25)
    return tf.where(chance < share / 2, 0.0, tf.where(chance > 1 - share / 2, 255.0, pixels))


def _blur(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Blurs, up to a standard deviation of a pixel and a half."""
    blurred = pixels
    for _ in range(3):
        blurred = tf.nn.avg_pool2d(blurred, 3, 1, "SAME")
    return pixels + _uniform(pixels, seed, 0, 1) * (blurred - pixels)


def _scatter(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Takes each pixel from a random place nearby, as seen through frosted glass."""
    for step in range(2):
        chosen = tf.random.stateless_uniform(tf.shape(pixels), seed + step, 0, 5, tf.int32)
        moved = pixels
        for number, (down, right) in enumerate([(0, 1), (1, 0), (0, -1), (-1, 0)]):
            moved = tf.where(chosen == number, tf.roll(pixels, [down, right], [1, 2]), moved)
        pixels = moved
    return pixels


def _outline(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Leaves the outlines of strokes."""
    largest = tf.nn.max_pool2d(pixels, 3, 1, "SAME")
    smallest = -tf.nn.max_pool2d(-pixels, 3, 1, "SAME")
    share = _uniform(pixels, seed, 0, 1)  # of the inner side of an edge
    return tf.where(share < 0.5, largest - pixels, largest - smallest - share * (pixels - smallest))


def _grid(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the rows, `[1, H, 1, 1]`, and columns, `[1, 1, W, 1]`, from -1 to 1."""
    height, width = pixels.shape[1:3]
    return tf.linspace(-1.0, 1.0, height)[None, :, None, None], tf.linspace(-1.0, 1.0, width)[None, None, :, None]


def _lines(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws two light lines through the middle, each solid, dashed, or too thin to be seen."""
    rows, columns = _grid(pixels)
    half = pixels.shape[1] / 2
    for number in (0, 10):
        angle = _uniform(pixels, seed, 0, math.pi, number)
        across = rows * tf.cos(angle) + columns * tf.sin(angle) - _uniform(pixels, seed, -0.6, 0.6, number + 1)
        along = columns * tf.cos(angle) - rows * tf.sin(angle)
        width = _uniform(pixels, seed, -0.5, 1.2, number + 2)
        waves = tf.cos(half * along * _uniform(pixels, seed, 0.5, 2, number + 3))
        drawn = tf.cast(waves > _uniform(pixels, seed, -2, 0.5, number + 4), tf.float32)
        pixels = tf.maximum(pixels, 255 * drawn * tf.clip_by_value(width + 0.5 - half * tf.abs(across), 0, 1))
    return pixels


def _box(pixels: tf.Tensor, seed: tf.Tensor, smallest: float, largest: float) -> tf.Tensor:
    """Returns a random box of each image as 1 in 0, `[N, H, W, 1]`; its sides are shares of the image's."""
    inside = []
    for number, positions in enumerate(_grid(pixels)):
        size = _uniform(pixels, seed, smallest, largest, 2 * number)
        middle = _uniform(pixels, seed, -1, 1, 2 * number + 1) * (1 - size / 2)
        inside.append(tf.cast(tf.abs(positions - middle) < size, tf.float32))
    return inside[0] * inside[1]


def _cover(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Covers a box with black (Z. Zhong et al., "Random Erasing", https://arxiv.org/abs/1708.04896)."""
    return pixels * (1 - _box(pixels, seed, 0.2, 0.5))


def _invert(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Inverts a part."""
    return tf.abs(255 * _box(pixels, seed, 0.2, 1.2) - pixels)


def _background(pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Adds light that differs from place to place."""
    height, width = pixels.shape[1:3]
    light = tf.random.stateless_uniform([tf.shape(pixels)[0], 5, 5, 1], seed + 9)
    light = tf.image.resize(light, [height, width], "bicubic") * _uniform(pixels, seed, 0, 0.8)
    return pixels + (255 - pixels) * light


KINDS: dict[Corrupt, int] = {  # and how often, relative to the others
    _noise: 1, _speckle: 1, _blur: 1, _scatter: 1, _outline: 1, _lines: 2, _cover: 5, _invert: 1, _background: 1,
}  # fmt: skip

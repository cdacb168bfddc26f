"""Ensembles as one Keras model: several networks, or one network on several views of the image."""

import itertools
from collections.abc import Sequence

import keras
import numpy as np


def member_seed(seed: int, member: int) -> int:
    """Returns a member's seed, far from those of the others; the first member's is `seed` itself."""
    return seed if member == 1 else int(np.random.SeedSequence([seed, member]).generate_state(1)[0]) >> 1


def softmax(logits: keras.KerasTensor, temperature: float) -> keras.KerasTensor:
    """Divides logits by `temperature`, then applies softmax; float32 `[N, classes]`."""
    if temperature != 1:
        logits = keras.layers.Rescaling(1 / temperature, dtype="float32", name="temperature")(logits)
    return keras.layers.Softmax(name="probabilities", dtype="float32")(logits)


def average(members: Sequence[keras.Model], name: str, temperature: float = 1, views: int = 1) -> keras.Model:
    """Averages the members' probabilities, for all views (Lakshminarayanan et al., https://arxiv.org/abs/1612.01474).

    The temperature is applied to the mean, because the mean of calibrated probabilities is not calibrated (Rahaman and
    Thiery, https://arxiv.org/abs/2007.08792).

    Args:
        members: from the same images to probabilities, float32 `[N, classes]`, each with its own name.
        name: of the model.
        temperature: the divisor of the mean's logarithms.
        views: how many shifts of the image are averaged, see `shifted`.
    """
    images = keras.Input(members[0].input.shape[1:], dtype="uint8", name="pixels")
    seen = shifted(images, views) if views > 1 else images
    answers = [member(seen) for member in members]
    mean = keras.layers.Average(dtype="float32", name="members")(answers) if len(answers) > 1 else answers[0]
    if views > 1:
        parts = keras.ops.reshape(mean, (views, -1, mean.shape[-1]))
        mean = keras.ops.mean(parts, axis=0)
    if temperature != 1:
        mean = softmax(keras.ops.log(mean), temperature)
    return keras.Model(images, mean, name=name)


def shifted(images: keras.KerasTensor, views: int) -> keras.KerasTensor:
    """Returns the images and their shifts by a pixel: to the four sides for 5 views, also diagonally for 9.

    What comes into view repeats the edge, which is black around a digit. Slices and concatenations do it, because
    LiteRT has no padding of bytes.

    Args:
        images: `[N, H, W, C]`.
        views: 5 or 9.

    Returns:
        `[views * N, H, W, C]`, view after view, the unshifted images first.
    """
    height, width = images.shape[1:3]
    edges = {"top": (0, height - 1), "bottom": (height - 1, 0), "left": (0, width - 1), "right": (width - 1, 0)}

    def rows(name: str) -> keras.KerasTensor:
        return keras.layers.Cropping2D((edges[name], (0, 0)), name=name)(images)

    taller = keras.layers.Concatenate(axis=1, name="taller")([rows("top"), images, rows("bottom")])

    def columns(name: str) -> keras.KerasTensor:
        return keras.layers.Cropping2D(((0, 0), edges[name]), name=name)(taller)

    wider = keras.layers.Concatenate(axis=2, name="wider")([columns("left"), taller, columns("right")])
    shifts = sorted(itertools.product((-1, 0, 1), repeat=2), key=lambda shift: sum(map(abs, shift)))
    crops = [
        keras.layers.Cropping2D(((1 + down, 1 - down), (1 + across, 1 - across)), name=f"view{number}")(wider)
        for number, (down, across) in enumerate(shifts[:views])
    ]
    return keras.layers.Concatenate(axis=0, name="views")(crops)

"""Ensembles: several networks as one Keras model."""

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


def average(members: Sequence[keras.Model], name: str, temperature: float = 1) -> keras.Model:
    """Averages the members' probabilities (Lakshminarayanan et al., https://arxiv.org/abs/1612.01474).

    The temperature is applied to the mean, because the mean of calibrated probabilities is not calibrated (Rahaman and
    Thiery, https://arxiv.org/abs/2007.08792).

    Args:
        members: from the same images to probabilities, float32 `[N, classes]`, each with its own name.
        name: of the model.
        temperature: the divisor of the mean's logarithms.
    """
    images = keras.Input(members[0].input.shape[1:], dtype="uint8", name="pixels")
    answers = [member(images) for member in members]
    mean = keras.layers.Average(dtype="float32", name="probabilities" if temperature == 1 else "mean")(answers)
    if temperature != 1:
        mean = softmax(keras.ops.log(mean), temperature)
    return keras.Model(images, mean, name=name)

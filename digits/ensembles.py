"""Several networks as one Keras model."""

from collections.abc import Sequence

import keras
import numpy as np


def member_seed(seed: int, member: int) -> int:
    """A seed for each member, far from one another's whatever the first; the first member's is `seed` itself."""
    return seed if member == 1 else int(np.random.SeedSequence([seed, member]).generate_state(1)[0]) >> 1


def average(members: Sequence[keras.Model], name: str) -> keras.Model:
    """A model whose probabilities are the mean of its members' (Lakshminarayanan et al., https://arxiv.org/abs/1612.01474).

    Args:
        members: from the same images to probabilities, float32 `[N, classes]`, each under a name of its own.
        name: of the whole.
    """
    images = keras.Input(members[0].input.shape[1:], dtype="uint8", name="pixels")
    answers = [member(images) for member in members]
    return keras.Model(images, keras.layers.Average(dtype="float32", name="probabilities")(answers), name=name)

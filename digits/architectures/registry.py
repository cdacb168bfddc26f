"""The registry of architectures: a builder registers under a name, `build` looks it up."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from digits.architectures.blocks import initializer
from digits.core.errors import UserError, one_line

Builder = Callable[[keras.KerasTensor, Any], keras.KerasTensor]

_builders: dict[str, Builder] = {}


def register(name: str) -> Callable[[Builder], Builder]:
    """Registers a builder, which takes scaled images, `[N, H, W, C]` in 0..1, and its options.

    The builder returns the last features, `[N, F]`; the layer of logits is the same for all architectures.
    """

    def add(builder: Builder) -> Builder:
        if name in _builders:
            raise ValueError(f"architecture '{name}' is registered twice")
        _builders[name] = builder
        return builder

    return add


def names() -> list[str]:
    """Returns the registered names, sorted."""
    return sorted(_builders)


def build(options: Any, image_shape: Sequence[int], classes: int) -> keras.Model:
    """Builds the network that `options.architecture` names.

    The scaling to 0..1 is its first layer, so that every caller feeds raw pixels.

    Returns:
        A model from uint8 `[N, H, W, C]` to logits, float32 `[N, classes]`.

    Raises:
        UserError: images of this shape are too small for the network.
    """
    if options.architecture not in _builders:
        raise ValueError(f"no architecture '{options.architecture}'; there are {', '.join(names())}")
    pixels = keras.Input(tuple(image_shape), dtype="uint8", name="pixels")
    scaled = keras.layers.Rescaling(1 / 255, name="scale")(pixels)
    try:
        features = _builders[options.architecture](scaled, options)
    except ValueError as error:  # of Keras, with a message of several lines
        reason = one_line(error)
        shape = "x".join(map(str, image_shape))
        raise UserError(
            f"the architecture {options.architecture} does not fit images of {shape} with these options: {reason}"
        ) from error
    logits = keras.layers.Dense(classes, kernel_initializer=initializer(options), dtype="float32", name="logits")(
        features
    )
    return keras.Model(pixels, logits, name=options.architecture)

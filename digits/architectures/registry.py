"""The registry of architectures: a builder registers under a name, `build` looks it up."""

import math
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


def build(options: Any, image_shape: Sequence[int], classes: int, *, background: bool = False) -> keras.Model:
    """Builds the network that `options.architecture` names.

    The scaling to 0..1 is its first layer, so that every caller feeds raw pixels.

    Args:
        options: of the architecture.
        image_shape: height, width, channels.
        classes: number of classes.
        background: adds a logit for "none of the classes", see `share_out`.

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
    last = keras.layers.Dense(
        classes + background, kernel_initializer=initializer(options), dtype="float32", name="logits"
    )
    logits = share_out(classes)(last(features)) if background else last(features)
    return keras.Model(pixels, logits, name=options.architecture)


def share_out(classes: int) -> keras.Model:
    """Divides the probability of a background class, the last logit, equally among the others.

    So a network can say "none of them" with one number in place of ten that agree, and still answers a probability for
    each class: softmax(output) = p[:, :-1] + p[:, -1:] / classes, where p = softmax(input).

    Returns:
        A model without weights, from logits, float32 `[N, classes + 1]`, to logits, float32 `[N, classes]`.
    """
    logits = keras.Input((classes + 1,), dtype="float32", name="logits_and_background")
    of_classes, share = logits[:, :-1], logits[:, -1:] - math.log(classes)
    largest = keras.ops.maximum(of_classes, share)  # not logaddexp, whose log1p does not exist in ONNX
    shared = largest + keras.ops.log(keras.ops.exp(of_classes - largest) + keras.ops.exp(share - largest))
    return keras.Model(logits, shared, name="share_out")

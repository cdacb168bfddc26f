"""A network that trains in a second, for tests of the whole pipeline."""

import keras
from keras import layers

from digits.architectures.blocks import initializer
from digits.architectures.registry import register
from digits.params import Tiny


@register("tiny")
def tiny(images: keras.KerasTensor, options: Tiny) -> keras.KerasTensor:
    """Builds an average pooling of 4x4 pixels, then one hidden layer."""
    features = layers.Flatten(name="flatten")(layers.AveragePooling2D(4, padding="same", name="pool")(images))
    return layers.Dense(options.width, activation="relu", kernel_initializer=initializer(options), name="hidden")(
        features
    )

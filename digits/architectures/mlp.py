"""A multi-layer perceptron: fully connected layers on the flattened image."""

import keras
from keras import layers

from digits.architectures.blocks import hidden_layers
from digits.architectures.registry import register
from digits.params import Mlp


@register("mlp")
def mlp(images: keras.KerasTensor, options: Mlp) -> keras.KerasTensor:
    """Builds fully connected layers; the first takes every pixel."""
    features = layers.Flatten(name="flatten")(images)
    return hidden_layers(features, options.hidden, options, activation=options.activation)

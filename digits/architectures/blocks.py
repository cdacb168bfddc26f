"""Layers that several architectures share."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import layers

from digits.params import HiddenLayer, Network, NormalInitializer


def initializer(options: Network) -> str | keras.initializers.Initializer:
    """Returns a layer's initializer; one object per layer, because an object draws the same numbers each time."""
    chosen = options.kernel_initializer
    return keras.initializers.RandomNormal(stddev=chosen.normal) if isinstance(chosen, NormalInitializer) else chosen


def unbiased_convolution(
    inputs: keras.KerasTensor, filters: int, options: Network, *, name: str, size: int = 3, strides: int = 1
) -> keras.KerasTensor:
    """Adds a convolution without bias, before a normalisation; `[N, H, W, C]` to `[N, H/strides, W/strides, F]`."""
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=initializer(options),
        name=name,
    )(inputs)


def normalized_relu(features: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Adds batch normalisation (Ioffe and Szegedy, https://arxiv.org/abs/1502.03167), then ReLU."""
    # Momentum 0.9: the averages adapt within 20 steps; Keras' default 0.99 takes 200, an epoch of this pipeline.
    # Several devices normalise over the whole batch: else each keeps averages of its own, and only one's are saved.
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    features = layers.BatchNormalization(momentum=0.9, synchronized=several, name=f"{name}_norm")(features)
    return layers.ReLU(name=f"{name}_relu")(features)


def hidden_layers(
    features: keras.KerasTensor, hidden: Sequence[HiddenLayer], options: Network, *, activation: str
) -> keras.KerasTensor:
    """Adds fully connected layers, each followed by its dropout unless that is 0; `[N, F]` to `[N, last units]`."""
    for number, layer in enumerate(hidden):
        features = layers.Dense(
            layer.units, activation=activation, kernel_initializer=initializer(options), name=f"hidden{number}"
        )(features)
        if layer.dropout:
            features = layers.Dropout(layer.dropout, name=f"hidden{number}_dropout")(features)
    return features

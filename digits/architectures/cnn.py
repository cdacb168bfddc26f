"""A plain convolutional network: stages of convolutions, pooling and dropout, then fully connected layers."""

import keras
from keras import layers

from digits.architectures.blocks import hidden_layers, initializer
from digits.architectures.registry import register
from digits.params import Cnn


@register("cnn")
def cnn(images: keras.KerasTensor, options: Cnn) -> keras.KerasTensor:
    """Builds 3x3 convolutions with bias and ReLU, and 2x2 max pooling."""
    features = images
    for number, stage in enumerate(options.stages):
        for place, filters in enumerate(stage.filters):
            features = layers.Conv2D(
                filters,
                3,
                padding=options.padding,
                activation="relu",
                kernel_initializer=initializer(options),
                name=f"stage{number}_conv{place}",
            )(features)
        if stage.pool:
            features = layers.MaxPooling2D(name=f"stage{number}_pool")(features)
        if stage.dropout:
            features = layers.Dropout(stage.dropout, name=f"stage{number}_dropout")(features)
    features = layers.Flatten(name="flatten")(features)
    return hidden_layers(features, options.hidden, options, activation="relu")

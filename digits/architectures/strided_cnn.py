"""A convolutional network that trains fast on a few CPU cores, the project's own."""

import keras
from keras import layers

from digits.architectures.blocks import initializer, normalized_relu
from digits.architectures.registry import register
from digits.params import StridedCnn


@register("strided_cnn")
def strided_cnn(images: keras.KerasTensor, options: StridedCnn) -> keras.KerasTensor:
    """Builds convolutions, some with a stride in place of pooling, then one normalised fully connected layer.

    Strides instead of pooling after J. Springenberg et al., "Striving for Simplicity" (https://arxiv.org/abs/1412.6806).
    On a CPU the first layers, with few channels and many pixels, are limited by memory: there a stride leaves work out,
    while pooling and normalisation read and write every pixel several times more (docs/log.md has the times).
    """
    features = images
    for number, convolution in enumerate(options.layers):
        name = f"conv{number}"
        layer = layers.Conv2D(
            convolution.filters,
            convolution.size,
            strides=convolution.stride,
            padding=convolution.padding,
            activation=None if options.normalize else "relu",
            use_bias=not options.normalize,
            kernel_initializer=initializer(options),
            name=name,
        )
        features = layer(features)
        if options.normalize:
            features = normalized_relu(features, name=name)
    features = layers.Flatten(name="flatten")(features)
    features = layers.Dense(
        options.hidden, use_bias=False, kernel_initializer=initializer(options), name="hidden_dense"
    )(features)
    return normalized_relu(features, name="hidden")

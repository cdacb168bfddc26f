"""A small residual network with pre-activation blocks (He et al., "Identity Mappings in Deep Residual Networks").

https://arxiv.org/abs/1603.05027
"""

import keras
from keras import layers

from digits.architectures.blocks import normalized_relu, unbiased_convolution
from digits.architectures.registry import register
from digits.params import Resnet


@register("resnet")
def resnet(images: keras.KerasTensor, options: Resnet) -> keras.KerasTensor:
    """Builds a pooled convolution, then stages of residual blocks; all but the first halve height and width."""
    features = unbiased_convolution(images, options.widths[0], options, name="stem_conv")
    features = layers.MaxPooling2D(name="stem_pool")(features)
    for stage, width in enumerate(options.widths):
        for number in range(options.blocks):
            strides = 2 if stage and not number else 1
            features = _block(features, width, strides, options, f"stage{stage}_block{number}")
    return layers.GlobalAveragePooling2D(name="average")(normalized_relu(features, name="last"))


def _block(inputs: keras.KerasTensor, width: int, strides: int, options: Resnet, name: str) -> keras.KerasTensor:
    """Adds a residual block: two convolutions, each after normalisation and ReLU, and the shortcut."""
    active = normalized_relu(inputs, name=f"{name}_a")
    shortcut = inputs
    if strides > 1 or inputs.shape[-1] != width:
        shortcut = unbiased_convolution(active, width, options, size=1, strides=strides, name=f"{name}_shortcut")
    features = unbiased_convolution(active, width, options, strides=strides, name=f"{name}_a_conv")
    features = unbiased_convolution(normalized_relu(features, name=f"{name}_b"), width, options, name=f"{name}_b_conv")
    return layers.Add(name=f"{name}_add")([shortcut, features])

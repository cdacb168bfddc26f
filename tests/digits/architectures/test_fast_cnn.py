import keras
import pytest

from digits import architectures
from digits.params import FastCnn


def build(widths, shape=(28, 28, 1)):
    return architectures.build(
        FastCnn(architecture="fast_cnn", widths=widths, kernel_initializer="glorot_uniform"), shape, 10
    )


def test_each_stage_halves_height_and_width():
    network = build([4, 8, 16])
    shapes = [network.get_layer(f"stage{number}_relu").output.shape[1:] for number in range(3)]
    assert shapes == [(14, 14, 4), (7, 7, 8), (3, 3, 16)]


def test_pooling_comes_before_normalising():
    kinds = [type(layer) for layer in build([4]).layers]
    assert kinds.index(keras.layers.MaxPooling2D) < kinds.index(keras.layers.BatchNormalization)


@pytest.mark.parametrize("widths", [[4], [4, 8], [4, 8, 16, 32]])
def test_any_number_of_stages_that_the_image_allows(widths):
    assert build(widths).output.shape == (None, 10)

import keras
import pytest

from digits import architectures
from digits.params import StridedCnn


def build(*convolutions, normalize=False, shape=(28, 28, 1)):
    options = StridedCnn(architecture="strided_cnn", convolutions=list(convolutions), normalize=normalize, hidden=6)
    return architectures.build(options, shape, 10)


@pytest.mark.parametrize("normalize", [False, True])
def test_a_stride_of_2_halves_height_and_width_rounded_up(normalize):
    network = build("4 5x5/2", "8 3x3/2", "8 3x3", "16 3x3/2", normalize=normalize)
    shapes = [network.get_layer(f"conv{number}").output.shape[1:] for number in range(4)]
    assert shapes == [(14, 14, 4), (7, 7, 8), (7, 7, 8), (4, 4, 16)]
    assert network.output.shape == (None, 10)


def test_valid_leaves_out_the_padding():
    network = build("4 5x5/2 valid", "8 3x3/2")
    shapes = [network.get_layer(f"conv{number}").output.shape[1:] for number in range(2)]
    assert shapes == [(12, 12, 4), (6, 6, 8)]


@pytest.mark.parametrize(("normalize", "normalisations"), [(False, 1), (True, 3)])
def test_the_hidden_layer_is_normalised_in_any_case(normalize, normalisations):
    network = build("4 5x5/2", "8 3x3/2", normalize=normalize)
    found = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(found) == normalisations
    assert found[-1].name == "hidden_norm"


def test_there_is_a_bias_where_there_is_no_normalisation():
    network = build("4 5x5/2", normalize=False)
    assert network.get_layer("conv0").use_bias
    assert network.get_layer("conv0").activation is keras.activations.relu
    assert not build("4 5x5/2", normalize=True).get_layer("conv0").use_bias


def test_colours_and_other_shapes():
    assert build("4 5x5/2", "8 3x3/2", shape=(32, 20, 3)).output.shape == (None, 10)

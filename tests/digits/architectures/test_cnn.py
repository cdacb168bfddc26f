import keras
import pytest

from digits import architectures, params
from tests.conftest import ROOT

RECIPES = params.load(ROOT / "params.yaml").recipes


def network(name):
    return architectures.build(RECIPES[name].model, (28, 28, 1), 10)


@pytest.mark.parametrize(("name", "weights"), [("cnn_deep", 863_082), ("cnn_compact", 93_322)])
def test_the_published_number_of_weights(name, weights):
    assert network(name).count_params() == weights


def kinds(name):
    return [type(layer).__name__ for layer in network(name).layers[2:-1]]


def test_the_layers_of_cnn_deep():
    stage = ["Conv2D", "Conv2D", "MaxPooling2D", "Dropout"]
    assert kinds("cnn_deep") == [*stage, *stage, *stage[1:], "Flatten", "Dense", "Dropout", "Dense", "Dropout"]
    rates = [layer.rate for layer in network("cnn_deep").layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.25, 0.25, 0.25, 0.5, 0.5]


def test_the_layers_of_cnn_compact():
    assert kinds("cnn_compact") == ["Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Conv2D", "Flatten", "Dense"]
    assert network("cnn_compact").get_layer("stage2_conv0").output.shape == (None, 3, 3, 64)

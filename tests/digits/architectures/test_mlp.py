import numpy as np
import pytest

from digits import architectures, params
from tests.conftest import ROOT

RECIPES = params.load(ROOT / "params.yaml").recipes


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("mlp_dropout", 407_050),
        ("mlp_two_layer", 109_386),
        ("mlp_two_layer_dropout", 109_386),
        ("mlp_sigmoid", 136_074),
    ],
)
def test_the_published_number_of_weights(name, weights):
    assert architectures.build(RECIPES[name].model, (28, 28, 1), 10).count_params() == weights


def test_mlp_sigmoid_by_hand():
    network = architectures.build(RECIPES["mlp_sigmoid"].model, (28, 28, 1), 10)
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), np.uint8)
    features = images.reshape(3, 784) / 255
    for name in ("hidden0", "hidden1"):
        kernel, bias = network.get_layer(name).get_weights()
        features = 1 / (1 + np.exp(-(features @ kernel + bias)))
    kernel, bias = network.get_layer("logits").get_weights()
    np.testing.assert_allclose(network.predict(images, verbose=0), features @ kernel + bias, rtol=1e-4, atol=1e-4)

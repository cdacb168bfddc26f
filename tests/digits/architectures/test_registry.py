from types import SimpleNamespace
from typing import get_args

import keras
import numpy as np
import pytest

from digits import architectures, params
from digits.architectures import registry
from digits.params import networks
from tests.conftest import ROOT

RECIPES = params.load(ROOT / "params.yaml").recipes


def schemas():
    """Architecture name -> its schema in `digits.params`."""
    union, _ = get_args(networks.Architecture)
    return {get_args(schema.model_fields["architecture"].annotation)[0]: schema for schema in get_args(union)}


def test_every_network_has_a_schema_and_every_schema_a_network():
    assert sorted(schemas()) == architectures.names()


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize(("shape", "classes"), [((28, 28, 1), 10), ((32, 32, 3), 7)])
def test_from_raw_pixels_to_a_logit_a_class(name, shape, classes, background):
    network = architectures.build(RECIPES[name].model, shape, classes, background=background)
    images = np.random.default_rng(0).integers(0, 256, (5, *shape), np.uint8)
    logits = np.asarray(network(images, training=False))
    assert logits.shape == (5, classes)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    assert network.input.dtype == "uint8"


def test_the_scaling_is_in_the_network():
    network = architectures.build(RECIPES["tiny"].model, (8, 8, 1), 3)
    assert network.get_layer("scale").scale == pytest.approx(1 / 255)


def test_the_probability_of_the_background_is_shared_out():
    logits = np.array([[2, -1, 0.5, 1], [0, 0, 0, 9], [70, -70, 0, 0]], np.float32)
    shared = keras.ops.softmax(registry.share_out(3)(logits))
    expected = np.asarray(keras.ops.softmax(logits))
    np.testing.assert_allclose(shared, expected[:, :-1] + expected[:, -1:] / 3, atol=1e-6)


def test_a_network_with_a_background_is_saved_and_loaded(tmp_path):
    network = architectures.build(RECIPES["tiny"].model, (8, 8, 1), 3, background=True)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)
    np.testing.assert_array_equal(network(images), loaded(images))


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="'tiny' is registered twice"):
        registry.register("tiny")(lambda images, options: images)


def test_an_unknown_name_answers_with_the_known_ones():
    with pytest.raises(ValueError, match="no architecture 'huge'; there are cnn, mlp, resnet, strided_cnn, "):
        architectures.build(SimpleNamespace(architecture="huge"), (8, 8, 1), 3)


def test_the_same_seed_gives_the_same_weights():
    def weights():
        keras.utils.set_random_seed(3)
        return architectures.build(RECIPES["fast_cnn"].model, (28, 28, 1), 10).get_weights()

    for first, second in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(first, second)

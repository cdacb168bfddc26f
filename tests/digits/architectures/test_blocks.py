from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from digits.architectures import blocks
from digits.params import HiddenLayer, NormalInitializer, Tiny


def options(kernel_initializer="glorot_uniform"):
    return Tiny(architecture="tiny", width=8, kernel_initializer=kernel_initializer)


@pytest.mark.parametrize(("strides", "side"), [(1, 8), (2, 4)])
def test_a_convolution_has_no_bias_and_keeps_or_halves_the_side(strides, side):
    inputs = keras.Input((8, 8, 3))
    features = blocks.unbiased_convolution(inputs, 5, options(), name="conv", strides=strides)
    assert features.shape == (None, side, side, 5)
    assert keras.Model(inputs, features).count_params() == 3 * 3 * 3 * 5


def test_normalised_and_rectified():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, blocks.normalized_relu(inputs, name="x"))
    values = np.random.default_rng(0).normal(5, 3, (1000, 4)).astype(np.float32)
    expected = np.maximum((values - values.mean(axis=0)) / values.std(axis=0), 0)
    np.testing.assert_allclose(model(values, training=True), expected, atol=0.01)


def test_hidden_layers_with_dropout_where_it_is_not_0():
    inputs = keras.Input((4,))
    hidden = [HiddenLayer(units=6, dropout=0.5), HiddenLayer(units=3, dropout=0)]
    model = keras.Model(inputs, blocks.hidden_layers(inputs, hidden, options(), activation="sigmoid"))
    assert [layer.name for layer in model.layers[1:]] == ["hidden0", "hidden0_dropout", "hidden1"]
    assert model.get_layer("hidden0_dropout").rate == 0.5
    assert model.get_layer("hidden1").activation is keras.activations.sigmoid


def test_initial_weights_of_a_normal_distribution():
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(300, kernel_initializer=blocks.initializer(options(NormalInitializer(normal=0.2))))
        for _ in "ab"
    ]
    for layer in layers:
        layer.build((None, 300))
    first, second = (np.array(layer.kernel) for layer in layers)
    assert first.std() == pytest.approx(0.2, rel=0.02)
    assert first.mean() == pytest.approx(0, abs=0.005)
    assert not np.allclose(first, second), "each layer draws its own"


@pytest.mark.parametrize(("devices", "synchronized"), [(1, False), (2, True)])
def test_several_devices_normalise_over_the_whole_batch(monkeypatch, devices, synchronized):
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: SimpleNamespace(num_replicas_in_sync=devices))
    inputs = keras.Input((4,))
    model = keras.Model(inputs, blocks.normalized_relu(inputs, name="x"))
    assert model.get_layer("x_norm").synchronized is synchronized

import keras
import numpy as np

from digits import ensembles


def member(name, bias):
    pixels = keras.Input((2, 2, 1), dtype="uint8", name="pixels")
    dense = keras.layers.Dense(3, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(bias))
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    return keras.Model(pixels, dense(flat), name=name)


def test_the_mean_of_the_members():
    model = ensembles.average([member("one", 0.2), member("two", 0.8)], "both")
    np.testing.assert_allclose(model.predict(np.zeros((4, 2, 2, 1), np.uint8), verbose=0), np.full((4, 3), 0.5))
    assert model.name == "both"
    assert model.input.dtype == "uint8"


def test_it_is_one_plain_keras_file(tmp_path):
    model = ensembles.average([member("one", 0.2), member("two", 0.8)], "both")
    model.save(tmp_path / "model.keras")
    images = np.zeros((4, 2, 2, 1), np.uint8)
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))


def test_seeds_differ_and_the_first_is_the_runs_own():
    seeds = [ensembles.member_seed(seed, number) for seed in (20, 21) for number in (1, 2, 3)]
    assert seeds[0] == 20
    assert len(set(seeds)) == 6
    assert all(0 <= seed < 2**31 for seed in seeds)

import keras
import numpy as np
import pytest

from digits.metrics import calibration
from digits.training import ensembles


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


def logits_of(count=5):
    return np.random.default_rng(0).normal(0, 3, (count, 4)).astype(np.float32)


def by_numpy(logits, temperature=1.0):
    scaled = np.exp(logits / temperature)
    return scaled / scaled.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.5, 1, 2.5])
def test_a_temperature_divides_the_logits(temperature):
    given = keras.Input((4,))
    model = keras.Model(given, ensembles.softmax(given, temperature))
    probabilities = model.predict(logits_of(), verbose=0)
    np.testing.assert_allclose(probabilities, by_numpy(logits_of(), temperature), rtol=1e-5, atol=1e-7)
    assert model.layers[-1].name == "probabilities"
    assert ("temperature" in [layer.name for layer in model.layers]) == (temperature != 1)


def classifier(name, seed):
    pixels = keras.Input((2, 2, 1), dtype="uint8", name="pixels")
    scaled = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    kernel = keras.initializers.RandomNormal(stddev=4, seed=seed)
    return keras.Model(pixels, keras.layers.Dense(3, "softmax", kernel_initializer=kernel)(scaled), name=name)


def test_the_temperature_of_an_ensemble_is_that_of_the_mean(tmp_path):
    members = [classifier("one", 1), classifier("two", 2)]
    images = np.random.default_rng(0).integers(0, 256, (20, 2, 2, 1), np.uint8)
    model = ensembles.average(members, "both", 1.7)
    mean = np.mean([member.predict(images, verbose=0) for member in members], axis=0)
    expected = calibration.apply_temperature(mean, 1.7)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-4, atol=1e-6)
    assert not np.allclose(expected, mean, atol=1e-2)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))


def test_an_impossible_class_of_an_ensemble_stays_impossible():
    # The logarithm of a mean of 0 is minus infinity: no NaN may come of it.
    members = [member("one", 0.0), member("two", 0.0)]
    for model in members:
        model.layers[-1].set_weights([np.zeros((4, 3), np.float32), np.array([0.75, 0.25, 0.0], np.float32)])
    mean = ensembles.average(members, "both", 2).predict(np.zeros((1, 2, 2, 1), np.uint8), verbose=0)
    np.testing.assert_allclose(mean, calibration.apply_temperature(np.array([[0.75, 0.25, 0.0]]), 2), atol=1e-6)


@pytest.mark.parametrize("views", [5, 9])
def test_views_are_shifts_by_a_pixel_and_the_image_itself_comes_first(views):
    given = keras.Input((4, 4, 1), dtype="uint8")
    model = keras.Model(given, ensembles.shifted(given, views))
    image = np.arange(1, 17, dtype=np.uint8).reshape(1, 4, 4, 1)
    found = model.predict(np.concatenate([image, image + 100]), verbose=0).astype(int)
    assert found.shape == (2 * views, 4, 4, 1)
    np.testing.assert_array_equal(found[:2], np.concatenate([image, image + 100]))
    padded = np.pad(image[0, ..., 0], 1, mode="edge").astype(int)
    expected = {padded[y : y + 4, x : x + 4].tobytes() for y in range(3) for x in range(3) if views == 9 or 1 in (x, y)}
    assert {view[..., 0].tobytes() for view in found[::2]} == expected


def test_several_members_and_several_views():
    keras.utils.clear_session(free_memory=False)  # names of layers begin anew, as in a process of its own
    members = [classifier("one", 1), classifier("two", 2)]
    images = np.random.default_rng(0).integers(0, 256, (6, 2, 2, 1), np.uint8)
    both = ensembles.average(members, "both", views=5).predict(images, verbose=0)
    each = [ensembles.average([member], "views", views=5).predict(images, verbose=0) for member in members]
    np.testing.assert_allclose(both, np.mean(each, axis=0), rtol=1e-5, atol=1e-7)


def test_the_answer_to_several_views_is_their_mean(tmp_path):
    member = classifier("one_view", 1)
    images = np.random.default_rng(0).integers(0, 256, (6, 2, 2, 1), np.uint8)
    model = ensembles.average([member], "views", 0.5, views=5)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    shifts = [padded[:, y : y + 2, x : x + 2] for y in range(3) for x in range(3) if 1 in (x, y)]
    mean = np.mean([member.predict(shift, verbose=0) for shift in shifts], axis=0)
    expected = calibration.apply_temperature(mean, 0.5)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-4, atol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))

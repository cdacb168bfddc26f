import numpy as np
import pytest
import tensorflow as tf

from digits.inputs import corruption
from tests.conftest import make_split

SEED = np.array([1, 2])
KINDS = list(corruption.KINDS)


@pytest.fixture(scope="module")
def pixels():
    return tf.constant(make_split(24, seed=0, side=28).images, tf.float32)


def names(kind):
    return kind.__name__


@pytest.mark.parametrize("kind", KINDS, ids=names)
def test_each_kind_changes_the_images_as_the_seed_says(kind, pixels):
    first = kind(pixels, SEED)
    assert first.shape == pixels.shape
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(kind(pixels, SEED), first)
    assert (first.numpy() != pixels.numpy()).any(axis=(1, 2, 3)).mean() > 0.7
    assert (kind(pixels, SEED + 1).numpy() != first.numpy()).any()


@pytest.mark.parametrize("kind", KINDS, ids=names)
@pytest.mark.parametrize("shape", [(2, 20, 12, 1), (3, 8, 8, 3), (0, 28, 28, 1)])
def test_each_kind_takes_images_of_any_shape(kind, shape):
    grey = tf.fill(shape, 120.0)
    assert kind(grey, SEED).shape == shape


def test_the_first_are_corrupted_and_the_others_stay(pixels):
    corrupted = corruption.corrupt(pixels, SEED, tf.constant(14)).numpy()
    changed = (corrupted != pixels.numpy()).any(axis=(1, 2, 3))
    assert changed[:14].sum() >= 10
    assert not changed[14:].any()
    np.testing.assert_array_equal(corruption.corrupt(pixels, SEED, tf.constant(0)), pixels)


def test_each_kind_has_its_share(pixels, monkeypatch):
    def mark(value):
        return lambda part, _: tf.zeros_like(part) + value

    monkeypatch.setattr(corruption, "KINDS", {mark(1.0): 1, mark(2.0): 2, mark(3.0): 1})
    corrupted = corruption.corrupt(pixels, SEED, tf.constant(9)).numpy()
    assert corrupted[:9, 0, 0, 0].tolist() == [1, 1, 2, 2, 2, 2, 3, 3, 3]


def test_a_covered_part_is_a_black_box():
    white = tf.fill((50, 28, 28, 1), 255.0)
    covered = corruption._cover(white, SEED).numpy()[..., 0]
    assert set(np.unique(covered)) == {0, 255}
    for image in covered:
        rows, columns = (np.flatnonzero((image == 0).any(axis=axis)) for axis in (1, 0))
        assert (image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 0).all()
        assert 0.15 * 28 < len(rows) <= 0.5 * 28


def test_an_inverted_part_is_the_opposite(pixels):
    inverted = corruption._invert(pixels, SEED).numpy()
    assert (np.isclose(inverted, pixels) | np.isclose(inverted, 255 - pixels)).all()


def test_speckle_is_black_or_white(pixels):
    speckled = corruption._speckle(pixels, SEED).numpy()
    changed = speckled[speckled != pixels.numpy()]
    assert set(np.unique(changed)) == {0, 255}


def test_scattered_pixels_come_from_nearby():
    dot = np.zeros((40, 28, 28, 1), np.float32)
    dot[:, 14, 14] = 255
    rows, columns = np.nonzero(corruption._scatter(tf.constant(dot), SEED).numpy().any(axis=(0, 3)))
    assert max(abs(rows - 14)) == 2
    assert max(abs(columns - 14)) == 2


def test_of_a_filled_box_the_outline_stays():
    box = np.zeros((8, 28, 28, 1), np.float32)
    box[:, 6:22, 6:22] = 255
    outline = corruption._outline(tf.constant(box), SEED).numpy()
    assert (outline[:, 10:18, 10:18] == 0).all()
    assert (outline[:, 5:7, 10].max(axis=1) > 100).all()


def test_lines_and_light_only_add(pixels):
    for kind in (corruption._lines, corruption._background):
        assert (kind(pixels, SEED).numpy() >= pixels.numpy() - 60).all(), "bicubic light may dip a little below 0"
    empty = corruption._lines(tf.zeros((40, 28, 28, 1)), SEED).numpy()
    assert (empty.max(axis=(1, 2, 3)) > 100).mean() > 0.4
    assert (empty > 0).mean() < 0.15

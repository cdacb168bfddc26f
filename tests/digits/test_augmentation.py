import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from digits.augmentation import _transforms, distort
from digits.params import Augmentation

OFF = {"rotation": 0.0, "zoom": 0.0, "shift": 0.0, "shear": 0.0}
ALL = Augmentation(rotation=10.0, zoom=0.1, shift=0.1, shear=0.1)


def only(**limits):
    return Augmentation(**{**OFF, **limits})


@pytest.fixture(scope="module")
def blobs():
    """Smooth off-centre spots, so that where they went can be told."""
    image = np.zeros((28, 28), np.float32)
    image[10:16, 12:20] = 255
    return np.repeat(scipy.ndimage.gaussian_filter(image, 1.5)[None, :, :, None], 200, axis=0).astype(np.uint8)


def centres(images):
    return np.array([scipy.ndimage.center_of_mass(image[..., 0]) for image in np.asarray(images)])


def test_off_changes_nothing(blobs):
    np.testing.assert_array_equal(distort(blobs, (1, 2), only()), blobs)


def test_type_and_shape_stay(blobs):
    result = distort(blobs, (1, 2), ALL)
    assert result.dtype == tf.uint8
    assert result.shape == blobs.shape


def test_the_seed_decides_and_nothing_else(blobs):
    first = distort(blobs, (1, 2), ALL)
    tf.random.uniform([3])
    np.testing.assert_array_equal(distort(blobs, (1, 2), ALL), first)
    assert not np.array_equal(distort(blobs, (1, 3), ALL), first)
    assert not np.array_equal(distort(blobs, (2, 2), ALL), first)


def test_images_of_a_batch_differ(blobs):
    assert len({image.tobytes() for image in distort(blobs, (1, 2), ALL).numpy()}) == len(blobs)


def test_inside_tf_data_it_does_the_same(blobs):
    outside = distort(blobs, (7, 0), ALL)
    inside = tf.data.Dataset.from_tensors(blobs).map(lambda images: distort(images, (7, 0), ALL)).get_single_element()
    np.testing.assert_array_equal(inside, outside)


def test_shift_moves_as_far_as_it_says_in_all_directions(blobs):
    moved = centres(distort(blobs, (1, 2), only(shift=0.1))) - centres(blobs)
    assert np.abs(moved).max() == pytest.approx(2.8, abs=0.15)
    assert (np.abs(moved.mean(axis=0)) < 0.5).all()
    assert moved.min() < -2
    assert moved.max() > 2


def test_rotation_is_about_the_centre_and_in_degrees(blobs):
    before, after = centres(blobs) - 13.5, centres(distort(blobs, (1, 2), only(rotation=30.0))) - 13.5
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), np.linalg.norm(before, axis=1), atol=0.1)
    angles = np.degrees(np.arctan2(after[:, 0], after[:, 1]) - np.arctan2(before[:, 0], before[:, 1]))
    assert np.abs(angles).max() == pytest.approx(30, abs=1.5)
    assert angles.min() < -25
    assert angles.max() > 25


def test_zoom_scales_the_distance_from_the_centre(blobs):
    before, after = centres(blobs) - 13.5, centres(distort(blobs, (1, 2), only(zoom=0.2))) - 13.5
    scale = after / before
    assert scale.min() == pytest.approx(0.8, abs=0.05)
    assert scale.max() == pytest.approx(1.2, abs=0.05)


def test_shear_slants_rows_by_their_height(blobs):
    before, after = centres(blobs), centres(distort(blobs, (1, 2), only(shear=0.5)))
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=0.1)
    offset = np.abs(after[:, 1] - before[:, 1])
    assert offset.max() == pytest.approx(0.5 * abs(before[0, 0] - 13.5), abs=0.1)


def test_one_resample_is_what_scipy_does_with_the_same_matrix():
    generator = np.random.default_rng(0)
    image = scipy.ndimage.gaussian_filter(generator.uniform(0, 255, (1, 28, 28, 1)), (0, 1, 1, 0)).astype(np.uint8)
    a0, a1, a2, b0, b1, b2, *_ = _transforms(tf.constant(1), 28, 28, tf.constant((3, 4)), ALL)[0].numpy()
    expected = scipy.ndimage.affine_transform(
        image[0, ..., 0].astype(float), [[b1, b0], [a1, a0]], [b2, a2], order=1, mode="constant"
    )
    found = distort(image, (3, 4), ALL).numpy()[0, ..., 0]
    inner = np.s_[5:-5, 5:-5]  # the two blend into the black outside differently
    assert np.abs(found[inner] - expected[inner]).max() <= 1.0


def test_what_comes_into_view_is_black():
    white = np.full((50, 28, 28, 1), 255, np.uint8)
    shifted = distort(white, (1, 2), only(shift=0.2)).numpy()
    assert (shifted[:, [0, 0, -1, -1], [0, -1, 0, -1]] == 0).any(axis=(1, 2)).mean() > 0.9


def test_colours_move_together():
    image = np.random.default_rng(0).integers(0, 256, (4, 10, 12, 1), np.uint8).repeat(3, axis=-1)
    result = distort(image, (1, 2), ALL).numpy()
    np.testing.assert_array_equal(result[..., 0], result[..., 2])

import subprocess
import sys

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from digits.inputs.augmentation import _transforms, distort
from digits.params import Augmentation
from tests.conftest import ROOT

OFF = {
    "moved": 1.0,
    "rotation": 0.0,
    "zoom": 0.0,
    "shift": 0.0,
    "shear": 0.0,
    "weight": 0.0,
    "coarse": 0.0,
    "noise": 0.0,
    "corrupted": 0.0,
}
PLACE = {"rotation": 10.0, "zoom": 0.1, "shift": 0.1, "shear": 0.1}
MOVED = Augmentation(**{**OFF, **PLACE})
ALL = Augmentation(moved=1.0, **PLACE, weight=0.8, coarse=0.5, noise=0.1, corrupted=0.3)


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


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.25, 50), (0.5, 100), (1.0, 200)])
def test_a_share_of_the_images_is_moved(blobs, share, count):
    result = distort(blobs, (1, 2), MOVED.model_copy(update={"moved": share})).numpy()
    changed = (result != blobs).any(axis=(1, 2, 3))
    assert changed[:count].all()
    assert not changed[count:].any()


def test_type_and_shape_stay(blobs):
    result = distort(blobs, (1, 2), ALL)
    assert result.dtype == tf.uint8
    assert result.shape == blobs.shape


def test_the_seed_decides_and_nothing_else(blobs):
    first = distort(blobs, (1, 2), ALL)
    tf.random.uniform([3], seed=1)
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
    a0, a1, a2, b0, b1, b2, *_ = _transforms(tf.constant(1), 28, 28, tf.constant((3, 4)), MOVED)[0].numpy()
    expected = scipy.ndimage.affine_transform(
        image[0, ..., 0].astype(float), [[b1, b0], [a1, a0]], [b2, a2], order=1, mode="constant"
    )
    distorted = distort(image, (3, 4), MOVED).numpy()[0, ..., 0]
    inner = np.s_[5:-5, 5:-5]  # the two blend into the black outside differently
    assert np.abs(distorted[inner] - expected[inner]).max() <= 1.0


def test_what_comes_into_view_is_black():
    white = np.full((50, 28, 28, 1), 255, np.uint8)
    shifted = distort(white, (1, 2), only(shift=0.2)).numpy()
    assert (shifted[:, [0, 0, -1, -1], [0, -1, 0, -1]] == 0).any(axis=(1, 2)).mean() > 0.9


def test_colours_move_together():
    # All but the noise and the corruptions, which each channel has of its own.
    limits = ALL.model_copy(update={"noise": 0.0, "corrupted": 0.0})
    image = np.random.default_rng(0).integers(0, 256, (4, 10, 12, 1), np.uint8).repeat(3, axis=-1)
    result = distort(image, (1, 2), limits).numpy()
    np.testing.assert_array_equal(result[..., 0], result[..., 2])


LATER = [{"weight": 0.8}, {"coarse": 1.0}, {"noise": 0.2}, {"corrupted": 0.5}]
NAMES = ["weight", "coarse", "noise", "corrupted"]


@pytest.mark.parametrize("limits", LATER, ids=NAMES)
def test_each_of_the_later_changes_is_a_function_of_the_seed(blobs, limits):
    first = distort(blobs, (1, 2), only(**limits))
    assert first.dtype == tf.uint8
    assert first.shape == blobs.shape
    tf.random.uniform([3], seed=1)
    np.testing.assert_array_equal(distort(blobs, (1, 2), only(**limits)), first)
    assert not np.array_equal(first, blobs)
    if "coarse" not in limits:  # at 1 each image is reduced, whatever the seed
        assert not np.array_equal(distort(blobs, (1, 3), only(**limits)), first)


@pytest.mark.parametrize("limits", LATER, ids=NAMES)
def test_the_later_changes_come_on_top_of_the_same_places(blobs, limits):
    # Each draws its own numbers: what is switched on beside them moves no image elsewhere.
    moved = distort(blobs, (1, 2), MOVED)
    changed = distort(blobs, (1, 2), MOVED.model_copy(update=limits))
    assert not np.array_equal(changed, moved)
    if not {"noise", "corrupted"} & limits.keys():
        np.testing.assert_allclose(centres(changed), centres(moved), atol=0.35)
    np.testing.assert_array_equal(distort(blobs, (1, 2), MOVED.model_copy(update=OFF | PLACE)), moved)


@pytest.mark.parametrize("limits", LATER[:2], ids=NAMES[:2])
def test_black_images_stay_black_and_ink_stays_near_where_it_was(blobs, limits):
    black = np.zeros_like(blobs)
    np.testing.assert_array_equal(distort(black, (1, 2), only(**limits)), black)
    spots = black.copy()
    spots[:, 12:16, 12:16] = 255
    changed = distort(spots, (1, 2), only(**limits)).numpy()
    assert changed[:, 13:15, 13:15].max() > 200
    changed[:, 6:22, 6:22] = 0  # a bicubic pixel of the small picture is felt two of them away
    assert changed.max() == 0


def test_weight_widens_and_narrows_on_both_sides_by_no_more_than_a_pixel():
    square = np.zeros((300, 28, 28, 1), np.uint8)
    square[:, 10:16, 12:20] = 255
    changed = distort(square, (1, 2), only(weight=0.8)).numpy().astype(int)
    core, ring = changed[:, 12, 15, 0], changed[:, 9, 15, 0]
    assert (core == 255).all(), "the middle of a stroke stays"
    assert changed[:, 8].max() == 0
    assert ring.max() == pytest.approx(0.8 * 255, abs=4)
    assert changed[:, 10, 15, 0].min() == pytest.approx(0.2 * 255, abs=4)
    assert (ring > 0).mean() == pytest.approx(0.5, abs=0.12)


def test_coarse_is_for_that_share_of_the_images():
    sharp = np.random.default_rng(0).integers(0, 256, (400, 28, 28, 1), np.uint8)
    changed = distort(sharp, (1, 2), only(coarse=0.3)).numpy()
    touched = (changed != sharp).any(axis=(1, 2, 3))
    assert touched.sum() == 120
    # What is left has no detail below 1 / 0.4 pixels.
    rough = np.abs(np.diff(changed.astype(int), axis=2)).mean(axis=(1, 2, 3))
    assert rough[touched].max() < 0.6 * rough[~touched].min()


@pytest.mark.parametrize(("moved", "both"), [(0.0, 0), (0.25, 30), (0.5, 60), (0.9, 108), (1.0, 120)])
def test_coarse_images_are_moved_as_often_as_others(moved, both):
    sharp = np.random.default_rng(0).integers(0, 256, (400, 28, 28, 1), np.uint8)
    changed = distort(sharp, (1, 2), only(moved=moved, coarse=0.3)).numpy()
    touched = (changed != sharp).any(axis=(1, 2, 3))
    assert touched.sum() == 120
    assert touched[: round(400 * moved)].sum() == both


def test_stroke_width_sees_the_neighbours_in_both_directions_and_stops_at_the_edge():
    image = np.random.default_rng(0).integers(0, 256, (300, 5, 7, 2), np.uint8)
    changed = distort(image, (1, 2), only(weight=1.0)).numpy()
    widest = scipy.ndimage.maximum_filter(image, (1, 3, 3, 1))
    narrowest = scipy.ndimage.minimum_filter(image, (1, 3, 3, 1))
    assert (changed <= widest).all()
    assert (changed >= narrowest).all()
    assert (np.abs(changed.astype(int) - widest).max(axis=(1, 2, 3)) < 5).any()
    assert (np.abs(changed.astype(int) - narrowest).max(axis=(1, 2, 3)) < 5).any()


def test_noise_has_a_deviation_of_its_own_for_each_image_up_to_the_limit():
    grey = np.full((300, 28, 28, 1), 128, np.uint8)
    deviations = distort(grey, (1, 2), only(noise=0.1)).numpy().std(axis=(1, 2, 3))
    assert deviations.max() == pytest.approx(25.5, rel=0.12)
    assert deviations.min() < 2
    assert np.median(deviations) == pytest.approx(12.75, rel=0.2)


def test_coarse_images_need_no_settings_of_the_processor():
    # A product of stacks of matrices ended such a process with a segmentation fault.
    code = """
import numpy as np
from digits.inputs.augmentation import distort
from digits.params import Augmentation
keys = ("moved", "rotation", "zoom", "shift", "shear", "weight", "noise", "corrupted")
for step in range(9):
    distort(np.zeros((6, 28, 28, 1), np.uint8), (20, step), Augmentation(**dict.fromkeys(keys, 0), coarse=0.4))
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

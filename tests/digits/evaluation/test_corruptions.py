import numpy as np
import pytest
import scipy.ndimage

from digits.evaluation import corruptions

LEVELS = 3


def blobs(count=12, height=28, width=28, channels=1):
    """Strokes on black, off the centre, each image another."""
    images = np.zeros((count, height, width, channels), np.float32)
    for number, image in enumerate(images):
        image[5 + number % 4 : height - 7, 6 + number % 5 : 10 + number % 5] = 255
        image[5 + number % 4 : 9 + number % 4, 6 : width - 8] = 255
    return scipy.ndimage.gaussian_filter(images, (0, 0.6, 0.6, 0)).astype(np.uint8)


@pytest.fixture(scope="module")
def corrupted():
    """name -> [(strength, images)]."""
    by_name = {}
    for name, strength, images in corruptions.corrupted(blobs(), seed=3):
        by_name.setdefault(name, []).append((strength, images))
    return by_name


def test_there_are_many_at_three_strengths_each(corrupted):
    assert len(corrupted) >= 10
    assert list(corrupted) == list(corruptions.CORRUPTIONS)
    for name, rows in corrupted.items():
        assert [strength for strength, _ in rows] == list(corruptions.CORRUPTIONS[name][1])
        assert len(rows) == LEVELS


def test_each_changes_the_images_in_a_way_of_its_own(corrupted):
    seen = [images.tobytes() for rows in corrupted.values() for _, images in rows]
    assert len({*seen, blobs().tobytes()}) == len(seen) + 1


@pytest.mark.parametrize("shape", [(28, 28, 1), (12, 20, 3), (33, 17, 1), (8, 8, 1)])
def test_shape_and_type_stay(shape):
    images = np.random.default_rng(0).integers(0, 256, (2, *shape), np.uint8)
    before = images.copy()
    for _, _, distorted in corruptions.corrupted(images, seed=1):
        assert distorted.shape == images.shape
        assert distorted.dtype == np.uint8
    np.testing.assert_array_equal(images, before)


def test_the_seed_decides_and_nothing_else(corrupted):
    np.random.seed(5)
    again, other = (list(corruptions.corrupted(blobs(), seed=seed)) for seed in (3, 4))
    flat = [images for rows in corrupted.values() for _, images in rows]
    for images, (_, _, same) in zip(flat, again, strict=True):
        np.testing.assert_array_equal(images, same)
    differ = {name for images, (name, _, new) in zip(flat, other, strict=True) if not np.array_equal(images, new)}
    assert differ == {"rotation", "shear", "shift", "noise", "speckle", "occlusion", "shade"}


def test_a_distortion_is_the_same_beside_others(corrupted, monkeypatch):
    # Each has a generator of its own: to add one changes no other's images.
    monkeypatch.setattr(corruptions, "CORRUPTIONS", {"noise": corruptions.CORRUPTIONS["noise"]})
    for (_, _, images), (_, expected) in zip(corruptions.corrupted(blobs(), seed=3), corrupted["noise"], strict=True):
        np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize("name", sorted(set(corruptions.CORRUPTIONS) - {"inversion"}))
def test_the_stronger_the_farther_from_the_original(corrupted, name):
    # Not the inversion: the fainter it is, the nearer is its grey to the white of a stroke.
    original = blobs().astype(int)
    distances = [np.abs(images - original).mean() for _, images in corrupted[name]]
    assert distances == sorted(distances)
    assert distances[0] > 0.1


def test_colours_are_moved_together():
    grey = blobs(4).repeat(3, axis=-1)
    for name, _, images in corruptions.corrupted(grey, seed=1):
        if name not in ("noise", "speckle"):
            np.testing.assert_array_equal(images[..., 0], images[..., 2])


def moments(images):
    return np.array([scipy.ndimage.center_of_mass(image[..., 0]) for image in images])


def test_rotations_are_by_that_many_degrees_about_the_centre_either_way():
    images = np.zeros((30, 29, 29, 1), np.uint8)
    images[:, 4:7, 13:16] = 255
    for name, degrees, rotated in corruptions.corrupted(images, seed=1):
        if name == "rotation":
            down, right = (moments(rotated) - 14).T
            angles = np.degrees(np.arctan2(right, -down))
            np.testing.assert_allclose(np.abs(angles), degrees, atol=1)
            assert angles.min() < 0 < angles.max()


def test_shifts_are_as_long_as_they_say_and_smaller_is_smaller(corrupted):
    before = moments(blobs())
    for share, images in corrupted["shift"][:2]:
        moved = np.linalg.norm(moments(images) - before, axis=1)
        np.testing.assert_allclose(moved, share * 28, atol=0.6)
    area = (blobs() > 127).sum()
    for factor, images in corrupted["smaller"]:
        assert (images > 127).sum() / area == pytest.approx(factor**2, rel=0.2)


def test_strokes_get_thicker_and_thinner(corrupted):
    mass = [int(blobs().sum())]
    assert sorted(mass + [int(images.sum()) for _, images in corrupted["thicker"]]) == mass + [
        int(images.sum()) for _, images in corrupted["thicker"]
    ]
    for _, images in corrupted["thinner"]:
        assert images.sum() < mass[0]
        assert (images <= blobs()).all()


def test_what_is_done_to_the_grey_levels(corrupted):
    original = blobs().astype(float)
    for share, images in corrupted["faint"]:
        np.testing.assert_allclose(images, original * share, atol=0.51)
    for share, images in corrupted["inversion"]:
        np.testing.assert_allclose(images, 255 - original * share, atol=0.51)
    for share, images in corrupted["speckle"]:
        assert ((images != original).mean()) <= share
        assert set(np.unique(images[images != original])) <= {0, 255}
    for deviation, images in corrupted["noise"]:
        middle = images[(original == 0) & (images > 0)]
        assert np.sqrt((middle.astype(float) ** 2).mean()) == pytest.approx(255 * deviation, rel=0.12)
    for share, images in corrupted["shade"]:
        assert images.min(axis=(1, 2, 3)).max() <= 1
        assert images[original == 0].max() == pytest.approx(255 * share, abs=2)


def test_an_occlusion_is_a_black_rectangle(corrupted):
    white = np.full((6, 40, 20, 1), 255, np.uint8)
    for name, share, images in corruptions.corrupted(white, seed=1):
        if name == "occlusion":
            for image in images:
                rows, columns = np.nonzero(image[..., 0] == 0)
                assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (round(40 * share), round(20 * share))
                assert len(rows) == round(40 * share) * round(20 * share)

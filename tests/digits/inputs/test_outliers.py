import numpy as np
import pytest

from digits.inputs import outliers
from digits.splits.split import Split
from tests.conftest import make_split


@pytest.fixture(scope="module")
def pieces():
    return make_split(10, seed=0, side=28)


@pytest.fixture(scope="module")
def made(pieces):
    return outliers.make(pieces, 60, seed=1)


def test_they_are_like_the_splits_images(made, pieces):
    assert made.shape == (60, 28, 28, 1)
    assert made.dtype == np.uint8


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 32, 3), (20, 12, 1), (9, 7, 3)])
def test_any_shape_of_images_is_served(shape):
    generator = np.random.default_rng(0)
    split = Split(generator.integers(1, 256, (30, *shape), np.uint8), np.arange(30) % 3)
    images = outliers.make(split, 40, seed=1)
    assert images.shape == (40, *shape)
    assert (images.max(axis=(1, 2, 3)) > 0).all()


def test_the_seed_decides_and_nothing_else(made, pieces):
    np.random.seed(3)
    np.testing.assert_array_equal(outliers.make(pieces, 60, seed=1), made)
    assert not np.array_equal(outliers.make(pieces, 60, seed=2), made)


def test_no_two_are_alike_and_none_is_empty_or_from_the_split(made, pieces):
    seen = {image.tobytes() for image in made}
    assert len(seen) == len(made)
    assert not seen & {image.tobytes() for image in pieces.images}
    assert (made.max(axis=(1, 2, 3)) > 100).all()


def test_the_split_stays_as_it_was(pieces):
    before = pieces.digest()
    outliers.make(pieces, 12, seed=4)
    assert pieces.digest() == before


DRAWN, LETTERS = 24, 15  # of sixty, then the pieces


def test_what_is_drawn_or_written_is_like_a_frame(made):
    for image in made[: DRAWN + LETTERS]:
        rows, columns = (np.flatnonzero((image[..., 0] > 0).any(axis=axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20


def test_each_drawing_is_shown_in_four_positions(made):
    drawing, turned, upside_down, mirrored = made[4:8]
    np.testing.assert_array_equal(turned, np.rot90(drawing, 2))
    np.testing.assert_array_equal(upside_down, np.flipud(drawing))
    np.testing.assert_array_equal(mirrored, np.fliplr(drawing))


def test_an_overlay_holds_two_images_of_different_classes():
    # Each class has a grey level, so that the overlay tells which it is made of.
    levels = np.array([50, 120, 250], np.uint8)
    images = np.zeros((30, 12, 12, 1), np.uint8)
    labels = np.arange(30) % 3
    images[:, :5, :3] = levels[labels][:, None, None, None]  # in a corner, that no turn leaves where it is
    outlier_images = outliers.make(Split(images, labels), 60, seed=0)[DRAWN + LETTERS :: 4]
    for image in outlier_images:
        assert len(set(np.unique(image)) & set(levels)) == 2


def test_letters_are_written_and_printed(pieces, monkeypatch):
    def refuse(*_):
        raise AssertionError("not this one")

    for share, other in ((0, (outliers.shapes, "letter")), (1, (outliers, "_printed"))):
        with monkeypatch.context() as patch:
            patch.setattr(outliers, "BY_HAND", share)
            patch.setattr(*other, refuse)
            letters = outliers.make(pieces, 400, seed=3)[160:260]
        assert len({image.tobytes() for image in letters}) == 100
    assert not set("0123456789IOlo") & {*outliers.PRINTED, *outliers.HANDWRITTEN}


def test_a_digit_is_put_into_a_ring_or_a_box():
    white = Split(np.full((9, 28, 28, 1), 255, np.uint8), np.arange(9) % 3)
    for image in outliers.make(white, 60, seed=0)[DRAWN + LETTERS :][2::4]:
        assert image[7:21, 7:21].min() == 255
        assert image[14, :6].max() == 255, "the outline"
        assert (image == 0).any()


def test_a_slab_fills_a_part_with_a_straight_edge(pieces):
    shares = [(image > 0).mean() for image in outliers.make(pieces, 200, seed=0)[130:][3::4]]
    assert min(shares) > 0.01
    assert max(shares) < 0.9


def test_a_shuffled_image_has_each_quarter_in_another_place():
    # The quarters of every image have the same four levels.
    images = np.zeros((9, 10, 10, 1), np.uint8)
    corners = [(slice(None, 5), slice(None, 5)), (slice(None, 5), slice(5, None))]
    corners += [(slice(5, None), slice(None, 5)), (slice(5, None), slice(5, None))]
    for level, corner in enumerate(corners, start=1):
        images[:, *corner] = 10 * level
    outlier_images = outliers.make(Split(images, np.arange(9) % 3), 60, seed=0)[DRAWN + LETTERS + 1 :: 4]
    for image in outlier_images:
        levels = [np.unique(image[corner]).tolist() for corner in corners]
        assert sorted(levels) == [[10], [20], [30], [40]]
        assert all(level != [10 * place] for place, level in enumerate(levels, start=1))


def test_none_are_none(pieces):
    assert outliers.make(pieces, 0, seed=1).shape == (0, *pieces.images.shape[1:])

import numpy as np
import pytest

from benchmarks import beyond
from digits.splits.split import Split


@pytest.fixture
def digits():
    images = np.zeros((6, 28, 28, 1), np.uint8)
    images[:3, 4:24, 12:15] = 255  # ones
    images[3:, 4:24, 8:20] = 255  # rings
    images[3:, 8:20, 11:17] = 0
    return Split(images, np.repeat([1, 0], 3))


def test_as_8x8_fills_the_height(digits):
    for image in digits.images[..., 0]:
        small = beyond.as_8x8(image)
        assert (small.dtype, small.shape) == (np.uint8, (8, 8))
        assert min(small[0].max(), small[-1].max()) > 100
        assert small[:, 0].max() == 0, "narrower than high"


def test_wider_strokes_leave_more_ink(digits):
    versions = beyond.versions(digits)
    assert list(versions) == ["validation", "framed", "8x8", "8x8, wider"]
    assert all(split.images.shape == (6, 28, 28, 1) for split in versions.values())
    assert versions["8x8, wider"].images.mean() > versions["8x8"].images.mean()


def test_separation_is_1_where_every_digit_is_surer(digits):
    def network(images):
        sure = (images.reshape(len(images), -1).max(axis=1) > 0) * 0.5 + 0.5
        return np.stack([sure, 1 - sure], axis=1)

    assert beyond.separation(network, digits, np.zeros((4, 28, 28, 1), np.uint8)) == 1
    assert beyond.accuracy(network, digits) == 0.5

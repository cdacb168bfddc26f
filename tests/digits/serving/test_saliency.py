import numpy as np
import pytest

from digits.serving.saliency import by_occlusion


def test_the_answer_is_looked_for_where_the_ink_is():
    # A network that counts the light in one corner.
    def corner(images):
        share = images[:, 4:11, 4:11].mean(axis=(1, 2)) / 255
        return np.stack([share, 1 - share, *np.zeros((8, len(images)))], axis=1).astype(np.float32)

    frame = np.zeros((28, 28), np.uint8)
    frame[4:11, 4:11] = frame[18:24, 18:24] = 255
    saliency = by_occlusion(corner, frame)
    assert saliency.shape == (28, 28)
    assert saliency.dtype == np.float32
    assert saliency.min() == 0
    assert saliency.max() == pytest.approx(1)
    assert saliency[4:11, 4:11].min() > 0.3
    assert saliency[15:, 15:].max() < 0.02


def test_where_nothing_matters_nothing_is_shown():
    def certain(images):
        return np.tile(np.float32([0.1, 0.9]), (len(images), 1))

    saliency = by_occlusion(certain, np.full((28, 28), 200, np.uint8))
    assert saliency.max() == 0

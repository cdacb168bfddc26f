import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from digits.datasets import sources


@pytest.fixture(scope="module")
def embedded():
    return sources.load("digits")


def test_the_embedded_set_is_whole_and_in_mnists_frame(embedded):
    assert len(embedded.train) + len(embedded.test) == 1797
    for split in embedded.splits.values():
        assert split.images.shape[1:] == (28, 28, 1)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        assert set(split.labels) == set(range(10))
        border = np.ones((28, 28), bool)
        border[4:24, 4:24] = False
        assert not split.images[:, border].any()


def test_the_embedded_set_keeps_what_the_originals_show(embedded):
    # Brought back to 8x8 by block means, each digit resembles an original of its own label most.
    bunch = load_digits()
    originals = bunch.images.reshape(1797, 64) - bunch.images.reshape(1797, 64).mean(1, keepdims=True)
    for image, label in list(zip(embedded.test.images, embedded.test.labels, strict=True))[:40]:
        small = np.asarray(Image.fromarray(image[4:24, 4:24, 0]).resize((8, 8), Image.Resampling.BOX), float).ravel()
        similarity = originals @ (small - small.mean()) / np.linalg.norm(originals, axis=1)
        assert bunch.target[similarity.argmax()] == label


def test_the_embedded_split_is_always_the_same(embedded):
    again = sources.load("digits")
    assert again.train.digest() == embedded.train.digest()
    assert again.test.digest() == embedded.test.digest()


def test_the_card_says_where_from(embedded):
    assert embedded.card["classes"] == list("0123456789")
    assert all(embedded.card[key] for key in ("name", "version", "source", "licence", "citation"))

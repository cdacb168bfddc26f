"""The dataset that needs no download: the handwritten digits that scikit-learn brings."""

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from digits.splits.holdout import split_off_test
from digits.splits.split import Dataset, Split

NAME = "digits"


def load() -> Dataset:
    """The 1,797 handwritten digits of scikit-learn, brought from 8x8 to MNIST's frame of 28x28 pixels.

    Each image is scaled to 20x20 pixels, the size of an MNIST digit, and framed by 4 black pixels. The set has no
    official split: 20 % of each class are held out for the test, always the same.
    Source: https://archive.ics.uci.edu/dataset/80 (its test part, by 13 other writers than the training part).
    """
    small, labels = digits_8x8()
    images = np.stack([_enlarged(image) for image in small])
    train, test = split_off_test(Split(images[..., np.newaxis], labels))
    return Dataset(
        train,
        test,
        card={
            "name": NAME,
            "version": "1.0.0",
            "source": "sklearn.datasets.load_digits; https://archive.ics.uci.edu/dataset/80",
            "licence": "CC BY 4.0",
            "citation": "E. Alpaydin and C. Kaynak. Optical Recognition of Handwritten Digits. UCI, 1998.",
            "classes": [str(digit) for digit in range(10)],
        },
    )


def digits_8x8() -> tuple[np.ndarray, np.ndarray]:
    """The images, scaled from 0..16 to uint8 `[1797, 8, 8]`, light on black, and the labels, int64 `[1797]`."""
    bunch = load_digits()
    return np.round(bunch.images * (255 / 16)).astype(np.uint8), bunch.target.astype(np.int64)


def _enlarged(image: np.ndarray) -> np.ndarray:
    return np.pad(np.asarray(Image.fromarray(image).resize((20, 20), Image.Resampling.BICUBIC)), 4)

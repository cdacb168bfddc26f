"""The embedded dataset: the handwritten digits of scikit-learn, which need no download."""

import numpy as np
from PIL import Image

from digits.splits.holdout import split_off_test
from digits.splits.split import Dataset, Split

NAME = "digits"


def load() -> Dataset:
    """Loads the 1,797 handwritten digits of scikit-learn, enlarged from 8x8 to MNIST's 28x28 pixels.

    Each image is scaled to 20x20 pixels, the size of an MNIST digit, and padded with 4 black pixels. The dataset has no
    official split: 20 % of each class are held out as the test split, always the same.
    Source: https://archive.ics.uci.edu/dataset/80 (the test part there; its 13 writers are not in the training part).
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
    """Returns the images, scaled from 0..16 to uint8 `[1797, 8, 8]`, light on black, and the labels, int64 `[1797]`."""
    from sklearn.datasets import load_digits  # noqa: PLC0415  # takes a second, and MNIST does without

    bunch = load_digits()
    return np.round(bunch.images * (255 / 16)).astype(np.uint8), bunch.target.astype(np.int64)


def _enlarged(image: np.ndarray) -> np.ndarray:
    return np.pad(np.asarray(Image.fromarray(image).resize((20, 20), Image.Resampling.BICUBIC)), 4)

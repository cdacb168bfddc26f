"""Labelled images in memory, the form in which stages read and pass on data."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Split:
    """Labelled images of one shape.

    Attributes:
        images: uint8 `[N, H, W, C]`, 0 to 255.
        labels: int64 `[N]`, 0 to classes - 1.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> list[int]:
        """`[H, W, C]`."""
        return list(self.images.shape[1:])

    def take(self, indices: np.ndarray) -> "Split":
        """Returns the examples at `indices`, in that order."""
        return Split(self.images[indices], self.labels[indices])

    def digest(self) -> str:
        """Returns the SHA-256 of the pixels and labels, in hexadecimal."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()


@dataclass(frozen=True)
class Dataset:
    """The splits `train` and `test` of a dataset, and its card.

    Attributes:
        card: `name`, `version`, `source`, `licence`, `citation`, and `classes`: the names of the classes in the order
            of their labels.
    """

    train: Split
    test: Split
    card: Mapping[str, Any]

    @property
    def splits(self) -> dict[str, Split]:
        """The splits by name."""
        return {"train": self.train, "test": self.test}

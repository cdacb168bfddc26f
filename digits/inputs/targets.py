"""Encodes labels for the loss: integer, one-hot, or uniform for outliers."""

import keras
import numpy as np

from digits.params import Loss


def encode(labels: np.ndarray, classes: int, options: Loss) -> np.ndarray:
    """Returns the labels, int64 `[N]`, unchanged or as one-hot float32 `[N, classes]`."""
    if options.labels == "integer":
        return labels
    return np.asarray(keras.utils.to_categorical(labels, classes), dtype=np.float32)


def uniform_targets(count: int, classes: int) -> np.ndarray:
    """Returns the targets of outliers: the same probability for each class, float32 `[count, classes]`."""
    return np.full((count, classes), 1 / classes, dtype=np.float32)

"""Labels as the loss takes them: integer, one-hot, or uniform for outliers."""

import keras
import numpy as np

from digits.params import Loss


def encode(labels: np.ndarray, classes: int, options: Loss) -> np.ndarray:
    """The labels, int64 `[N]`, as the loss takes them: unchanged, or one-hot float32 `[N, classes]`."""
    if options.labels == "integer":
        return labels
    return np.asarray(keras.utils.to_categorical(labels, classes), dtype=np.float32)


def uniform_targets(count: int, classes: int) -> np.ndarray:
    """The targets of outliers: the same probability for each class, float32 `[count, classes]`."""
    return np.full((count, classes), 1 / classes, dtype=np.float32)

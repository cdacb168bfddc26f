"""Selects images to show: samples, and the mistakes with the largest losses."""

from collections.abc import Callable

import numpy as np

from digits.metrics.scoring import losses
from digits.splits.split import Split

Network = Callable[[np.ndarray], np.ndarray]  # uint8 [N, H, W, C] -> probabilities float32 [N, classes]


def showcase(test: Split, probabilities: np.ndarray, *, samples: int, mistakes: int) -> dict[str, np.ndarray]:
    """Selects the first `samples` examples, and at most `mistakes` wrong ones, the largest loss first.

    Returns:
        For both kinds their `{kind}_index` in the split, `{kind}_images`, and `{kind}_probabilities`.
    """
    chosen = {
        "samples": np.arange(min(samples, len(test))),
        "mistakes": hardest_mistakes(test.labels, probabilities, mistakes),
    }
    parts = {"index": np.arange(len(test)), "images": test.images, "probabilities": probabilities}
    return {f"{kind}_{name}": part[index] for kind, index in chosen.items() for name, part in parts.items()}


def hardest_mistakes(labels: np.ndarray, probabilities: np.ndarray, count: int) -> np.ndarray:
    """Returns the indices of at most `count` wrong predictions, the largest loss first."""
    mistakes = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    order = np.argsort(-losses(labels, probabilities)[mistakes], kind="stable")
    return mistakes[order][:count]

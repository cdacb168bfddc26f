"""Saliency maps: which parts of an image an answer depends on."""

import numpy as np

from digits.drawing.framing import SIDE
from digits.export.backends import Network

PATCH, STEP = 7, 2  # pixels of the black square that is moved over a frame, and by how much


def by_occlusion(network: Network, frame: np.ndarray) -> np.ndarray:
    """Returns how much the best class's probability falls when a part of the frame is covered.

    A black square is moved over the frame (Zeiler and Fergus, https://arxiv.org/abs/1311.2901, section 4.2), which
    works with every runtime.

    Args:
        network: from frames, uint8 `[N, 28, 28]`, to probabilities, float `[N, classes]`.
        frame: uint8 `[28, 28]`.

    Returns:
        float32 `[28, 28]`, 0 to 1.
    """
    starts = range(1 - PATCH // 2, SIDE - PATCH // 2, STEP)
    squares = [
        (slice(max(top, 0), top + PATCH), slice(max(left, 0), left + PATCH)) for top in starts for left in starts
    ]
    covered = np.repeat(frame[None], len(squares) + 1, axis=0)
    for image, square in zip(covered, squares, strict=False):
        image[square] = 0
    probabilities = network(covered)  # the last one is of the whole frame
    best = probabilities[-1].argmax()
    drop = np.maximum(probabilities[-1, best] - probabilities[:-1, best], 0)
    total, times = np.zeros((2, SIDE, SIDE), np.float32)
    for square, amount in zip(squares, drop, strict=True):
        total[square] += amount
        times[square] += 1
    mean = total / np.maximum(times, 1)
    return np.asarray(mean / max(mean.max(), 1e-6), dtype=np.float32)

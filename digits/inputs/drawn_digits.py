"""Drawings as labelled images: framed like MNIST's digits, to learn from and to measure on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digits.core.errors import UserError
from digits.drawing import framing, strokes
from digits.drawing.strokes import Drawing
from digits.splits.split import Split

DIGITS = [str(digit) for digit in range(10)]


def takes_drawings(classes: Sequence[str], image_shape: Sequence[int]) -> bool:
    """Returns whether a network classifies the ten digits in frames of `digits.drawing.framing`."""
    return list(classes) == DIGITS and tuple(image_shape) == (framing.SIDE, framing.SIDE, 1)


def framed(drawings: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the frames of drawings, uint8 `[N, 28, 28, 1]`; black if nothing is drawn."""
    empty = np.zeros((framing.SIDE, framing.SIDE), np.uint8)
    return np.stack([empty if frame is None else frame for frame in framing.frames(drawings)])[..., None]


def drawn(drawings: Sequence[Drawing]) -> Split:
    """Returns the drawings of digits, as frames."""
    labelled = [(strokes.render(drawing), drawing.label) for drawing in drawings if drawing.label is not None]
    return Split(framed([picture for picture, _ in labelled]), np.array([label for _, label in labelled], np.int64))


def no_digits(drawings: Sequence[Drawing]) -> np.ndarray:
    """Returns the drawings of no digit, as frames, uint8 `[N, 28, 28, 1]`."""
    return framed([strokes.render(drawing) for drawing in drawings if drawing.label is None])


def with_drawings(split: Split, path: Path, share: float, *, classes: Sequence[str], seed: int) -> Split:
    """The examples of a split, then drawn digits, each about equally often.

    Args:
        split: examples to learn from.
        path: a file of drawings.
        share: number of drawn digits, as a share of the split's examples; 0 adds none.
        classes: the names of the classes in the order of their labels.
        seed: of which drawings come once more than the others.

    Raises:
        UserError: the split does not hold the ten digits in 28x28 pixels, or the file is damaged.
    """
    if not share:
        return split
    digits = in_random_order(path, classes=classes, image_shape=split.image_shape, seed=seed)
    added = digits.take(np.arange(round(share * len(split))) % len(digits))
    return Split(np.concatenate([split.images, added.images]), np.concatenate([split.labels, added.labels]))


def in_random_order(path: Path, *, classes: Sequence[str], image_shape: Sequence[int], seed: int) -> Split:
    """The drawings of digits in a file, to add to images of these classes and this shape.

    Raises:
        UserError: these are not the ten digits in 28x28 pixels, or the file is damaged.
    """
    if not takes_drawings(classes, image_shape):
        raise UserError("drawing_share: drawings go with the ten digits in 28x28 pixels only; set it to 0")
    digits = drawn(strokes.read(path))
    return digits.take(np.random.default_rng(seed).permutation(len(digits)))

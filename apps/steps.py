"""What becomes of a picture before the network sees it, for people to look at."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from digits.drawing import framing, photograph
from digits.drawing.framing import Digit
from digits.serving.image_file import encode_png

LARGEST = 480  # pixels a side of the picture that is shown


@dataclass(frozen=True)
class Steps:
    """The steps from a picture to the network's input.

    Attributes:
        picture: the picture, reduced: a PNG file.
        ink: the contrast of the ink to the paper, dark on white: a PNG file.
        digits: the digits that were found, the most prominent first.
    """

    picture: bytes
    ink: bytes
    digits: list[Digit]


def of(drawing: np.ndarray) -> Steps:
    """Takes the steps.

    Args:
        drawing: as `digits.drawing.framing.find` takes it.
    """
    return Steps(encode_png(reduced(drawing)), encode_png(ink(drawing)), framing.find(drawing))


def reduced(drawing: np.ndarray) -> np.ndarray:
    """Reduces to at most `LARGEST` pixels a side."""
    image = Image.fromarray(drawing)
    image.thumbnail((LARGEST, LARGEST))
    return np.asarray(image)


def ink(drawing: np.ndarray) -> np.ndarray:
    """The contrast of the ink to the paper, as `digits.drawing.framing.find` measures it: uint8 `[H, W]`, 255 none."""
    channels = framing.checked(drawing)
    if max(channels.shape[:2]) < framing.PICTURE:
        [strength] = framing.strength(channels[None])
    else:
        strength = photograph.strength(framing.reduced(channels))
    full = max(float(strength.max()), framing.VISIBLE)  # faint ink is shown darker
    return np.asarray(np.round(255 * (1 - strength / full)), dtype=np.uint8)

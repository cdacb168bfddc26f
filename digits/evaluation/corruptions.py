"""Named corruptions, each at three strengths, to measure robustness beyond the dataset.

The idea and some of the names come from MNIST-C (Mu and Gilmer, https://arxiv.org/abs/1906.02337); the code and the
strengths are ours.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

Corrupt = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def corrupted(images: np.ndarray, seed: int) -> Iterator[tuple[str, float, np.ndarray]]:
    """Yields the images under every corruption at every strength.

    Args:
        images: uint8 `[N, H, W, C]`, light on black.
        seed: of the random corruptions; the same seed gives the same images.

    Yields:
        The corruption's name, its strength (the unit is that of `CORRUPTIONS`), and the images, uint8 `[N, H, W, C]`.
    """
    for name, (corrupt, strengths) in CORRUPTIONS.items():
        for strength in strengths:
            random = np.random.default_rng([seed, *name.encode(), round(1000 * strength)])
            changed = [corrupt(image.astype(np.float64), strength, random) for image in images]
            yield name, strength, np.clip(np.round(np.stack(changed)), 0, 255).astype(np.uint8)


def _affine(image: np.ndarray, matrix: Any, offset: Any = (0, 0)) -> np.ndarray:
    """Maps input `matrix p + offset` to output `p`, from the centre; bilinear, black outside the image."""
    full = np.eye(3)
    full[:2, :2] = matrix
    centre = (np.array(image.shape) - 1) / 2
    moved = centre - full @ centre
    moved[:2] += offset
    return np.asarray(ndimage.affine_transform(image, full, moved, order=1))


def _sign(random: np.random.Generator) -> int:
    return int(random.choice((-1, 1)))


def _rotate(image: np.ndarray, degrees: float, random: np.random.Generator) -> np.ndarray:
    angle = np.radians(degrees * _sign(random))
    return _affine(image, [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _shear(image: np.ndarray, tangent: float, random: np.random.Generator) -> np.ndarray:
    return _affine(image, [[1, 0], [tangent * _sign(random), 1]])


def _shrink(image: np.ndarray, factor: float, random: np.random.Generator) -> np.ndarray:
    return _affine(image, np.eye(2) / factor)


def _shift(image: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    angle = random.uniform(0, 2 * np.pi)
    return _affine(image, np.eye(2), share * image.shape[0] * np.array([np.sin(angle), np.cos(angle)]))


def _thicken(image: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    once = ndimage.grey_dilation(image, (3, 3, 1))
    twice = ndimage.grey_dilation(once, (3, 3, 1))
    return np.asarray(image + (once - image) * min(share, 1) + (twice - once) * max(share - 1, 0))


def _thin(image: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    return np.asarray(image + (ndimage.grey_erosion(image, (3, 3, 1)) - image) * share)


def _noise(image: np.ndarray, deviation: float, random: np.random.Generator) -> np.ndarray:
    return image + 255 * random.normal(0, deviation, image.shape)


def _speckle(image: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    return np.where(random.random(image.shape) < share, 255 * random.integers(0, 2, image.shape), image)


def _blur(image: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    return np.asarray(ndimage.gaussian_filter(image, (sigma, sigma, 0)))


def _coarsen(image: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    size = max(1, round(width * share)), max(1, round(height * share))
    channels = [Image.fromarray(channel.astype(np.float32)) for channel in np.moveaxis(image, -1, 0)]
    small = (channel.resize(size, Image.Resampling.BOX) for channel in channels)
    return np.stack(
        [np.asarray(channel.resize((width, height), Image.Resampling.NEAREST)) for channel in small], axis=-1
    )


def _occlude(image: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    sides = [round(share * side) for side in image.shape[:2]]
    top, left = (
        random.integers(side // 5, max(side - side // 5 - hidden, side // 5) + 1)
        for side, hidden in zip(image.shape, sides, strict=False)
    )
    image = image.copy()
    image[top : top + sides[0], left : left + sides[1]] = 0
    return image


def _fade(image: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    return image * share


def _invert(image: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    return 255 - image * share


def _shade(image: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    angle = random.uniform(0, 2 * np.pi)
    rows, columns = (np.linspace(-1, 1, side) for side in image.shape[:2])
    slope = np.sin(angle) * rows[:, None] + np.cos(angle) * columns
    light = (slope - slope.min()) / np.ptp(slope)
    return np.asarray(255 * share * light[..., None] + image * (1 - share * light[..., None]))


CORRUPTIONS: dict[str, tuple[Corrupt, tuple[float, float, float]]] = {
    "rotation": (_rotate, (10, 20, 30)),  # degrees, either way
    "shear": (_shear, (0.2, 0.4, 0.6)),  # tangent of the angle, either way
    "smaller": (_shrink, (0.8, 0.65, 0.5)),  # of the size
    "shift": (_shift, (0.07, 0.14, 0.2)),  # of the size, in any direction
    "thicker": (_thicken, (0.5, 1, 1.5)),  # pixels on both sides of a stroke
    "thinner": (_thin, (0.3, 0.6, 0.8)),  # of a pixel on both sides
    "noise": (_noise, (0.1, 0.2, 0.4)),  # standard deviation, of white
    "speckle": (_speckle, (0.02, 0.05, 0.1)),  # share of the pixels that turn black or white
    "blur": (_blur, (0.7, 1.2, 1.8)),  # standard deviation in pixels
    "coarse": (_coarsen, (0.5, 0.4, 0.3)),  # pixels a side, of the original's
    "occlusion": (_occlude, (0.15, 0.25, 0.35)),  # a black rectangle's sides, of the image's
    "faint": (_fade, (0.6, 0.35, 0.15)),  # of the contrast
    "inversion": (_invert, (1, 0.6, 0.3)),  # of the contrast, dark on white
    "shade": (_shade, (0.2, 0.4, 0.6)),  # light from one side, up to this share of white
}

COUNT = sum(len(strengths) for _, strengths in CORRUPTIONS.values())  # pairs of corruption and strength

"""Separates a digit from a ring that touches it."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from digits.drawing import lines

ANGLES = np.linspace(0, 2 * np.pi, 120, endpoint=False)
HARMONICS = 3  # of a ring drawn by hand: its radius is a Fourier series of the angle
ROUNDS = 6  # of the fit, each without what was far from the one before
DENTED = 0.06  # third harmonic of a ring, at most, as a share of its radius
OVAL = 0.8  # shorter side of a ring, at least, as a share of its longer side: a zero is narrower
FULL = 0.5  # share of its box that a ring with all in it fills, at least; of a disk's it is 0.79
CLOSED = 0.95  # share of the angles at which there is ink on the ring, at least
AWAY = 0.06  # distance of ink on the ring from the curve, at most, as a share of its radius
THICK = 0.25  # width of a ring's stroke, at most, as a share of its radius
CROSSED = 1.5  # width of ink where a stroke crosses a ring, at least, as a share of the ring's stroke
SOFT = 2  # pixels of the ring's stroke beyond its usual width
TALL = 0.6  # height of what is a digit, at least, as a share of the ring's


@dataclass(frozen=True)
class Ring:
    """A closed curve by hand.

    Attributes:
        centre: row and column.
        radius: of the middle of its stroke at each of `ANGLES`, in pixels.
        thickness: of its stroke.
        crossed: the angles at which another stroke reaches or crosses it.
    """

    centre: np.ndarray
    radius: np.ndarray
    thickness: float
    crossed: np.ndarray


def without_ring(strokes: np.ndarray) -> np.ndarray | None:
    """Returns the strokes without the ring around them, bool `[H, W]`; None if there is none with a digit in it.

    Args:
        strokes: bool `[H, W]`, cropped.
    """
    ring = find(strokes)
    if ring is None:
        return None
    rows, columns = np.indices(strokes.shape) - ring.centre[:, None, None]
    angle = np.rint(np.arctan2(rows, columns) / ANGLES[1]).astype(int) % len(ANGLES)
    beyond = np.hypot(rows, columns) - ring.radius[angle]
    on_ring = (np.abs(beyond) <= ring.thickness / 2 + SOFT) & ~ring.crossed[angle]
    rest = lines.without_crumbs(strokes & ~on_ring)
    tall = (rest & (beyond < 0)).any(axis=1).sum()
    return rest if tall >= TALL * 2 * np.median(ring.radius) else None


def find(strokes: np.ndarray) -> Ring | None:
    """Returns the ring around the strokes, bool `[H, W]`, cropped; None if there is none."""
    if min(strokes.shape) < OVAL**2 * max(strokes.shape):
        return None
    filled = ndimage.binary_fill_holes(strokes)
    if filled.mean() < FULL:
        return None
    centre = np.array(ndimage.center_of_mass(filled))
    polar = _along_rays(strokes, centre)
    first, last = _outermost(polar)
    radius = _curve((first + last) / 2) if last.min() >= 0 else None
    if radius is None:
        return None
    start, stop = _runs(polar, radius)
    on_ring = stop > start
    if on_ring.mean() < CLOSED:
        return None
    thickness = float(np.median((stop - start)[on_ring]))
    crossed = ndimage.maximum_filter1d(stop - start > CROSSED * thickness + 1, 3, mode="wrap")
    return Ring(centre, radius, thickness, crossed) if thickness <= THICK * np.median(radius) else None


def _along_rays(strokes: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Returns the ink on a ray at each angle, from the centre on, bool `[angles, radii]`; the last column is empty."""
    radii = np.arange(np.hypot(*strokes.shape) + 2)
    rays = np.stack([np.sin(ANGLES), np.cos(ANGLES)])[..., None] * radii
    return np.asarray(ndimage.map_coordinates(strokes.view(np.uint8), rays + centre[:, None, None], order=0), bool)


def _outermost(polar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the radii at which the outermost run of ink on each ray starts and ends; -1 where there is none."""
    places = np.arange(polar.shape[1])
    last = np.where(polar, places, -1).max(axis=1)
    gap = ~polar & (places < last[:, None])
    return np.where(gap, places, -1).max(axis=1) + 1, last


def _curve(radius: np.ndarray) -> np.ndarray | None:
    """Returns the radius of the ring at each angle, through most of those given; None if they are of no ring."""
    harmonics = [wave(k * ANGLES) for k in range(1, HARMONICS + 1) for wave in (np.cos, np.sin)]
    design = np.stack([np.ones_like(ANGLES), *harmonics], axis=1)
    fitted = np.full_like(radius, np.median(radius))
    for number in range(ROUNDS):
        distance = np.abs(radius - fitted)
        near = distance <= max(AWAY * np.median(radius) * 2 ** max(2 - number / 2, 0), 2)
        if near.mean() < 0.5:
            return None
        coefficients, *_ = np.linalg.lstsq(design[near], radius[near], rcond=None)
        fitted = design @ coefficients
    mean = coefficients[0]
    second, third = np.hypot(coefficients[3], coefficients[4]), np.hypot(coefficients[5], coefficients[6])
    return fitted if third <= DENTED * mean and (mean - second) >= OVAL * (mean + second) else None


def _runs(polar: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns start and end of the run of ink that is nearest to the curve on each ray; both are 0 where it is far."""
    places = np.arange(polar.shape[1])
    near = np.abs(places - radius[:, None]) <= np.maximum(AWAY * radius[:, None], 2)
    distance = np.where(polar & near, np.abs(places - radius[:, None]), np.inf)
    at = distance.argmin(axis=1)[:, None]
    start = np.where(~polar & (places < at), places, -1).max(axis=1) + 1
    stop = np.where(~polar & (places > at), places, places[-1]).min(axis=1)
    found = np.isfinite(distance.min(axis=1))
    return np.where(found, start, 0), np.where(found, stop, 0)

"""Finds a sheet that lies in its surroundings, such as a note on a desk or a page on a black scanner."""

import numpy as np
from scipy import ndimage

SMALLEST, LARGEST = 0.08, 0.97  # area of a sheet, as a share of the picture's
RECTANGULAR = 0.93  # area of a sheet, at least, as a share of the smallest rectangle around it; a disk's is 0.79
NARROWEST = 16  # pixels of a picture with a sheet
CUT = 1  # sides of the picture that a sheet may reach; a shadow, which may be a rectangle too, reaches two at least
LEVELS = (0.5, 0.35, 0.65, 0.2, 0.8)  # between the darkest and the lightest: under a shadow not every one parts a sheet
WRITTEN = 0.3  # of a sheet's area, at most
SURROUNDED = 0.5  # share of the picture's edge that is as bright as a sheet, at most
STROKE = 0.5  # width of a one, at most, as a share of its length: nothing is written on it, so it is no strip of paper
ANGLES = np.radians(np.arange(-45, 45, 3))
EDGE = 2  # pixels of the sheet's edge that are partly of its surroundings


def find(grey: np.ndarray) -> np.ndarray | None:
    """Returns the pixels of a sheet, bool `[H, W]`; None if there is none that is smaller than the picture.

    Args:
        grey: float32 `[H, W]`, 0 to 1.
    """
    if min(grey.shape) < NARROWEST:
        return None
    coarse = grey[::2, ::2]  # half the resolution will do
    darkest, lightest = np.quantile(coarse, (0.02, 0.98))
    for share in LEVELS:
        bright = coarse > darkest + share * (lightest - darkest)
        for part in (bright, ~bright):
            possible = part.mean() >= (1 - WRITTEN) * SMALLEST and edge(part).mean() <= SURROUNDED
            if possible and (sheet := rectangle(part)) is not None:
                return np.repeat(np.repeat(sheet, 2, 0), 2, 1)[: grey.shape[0], : grey.shape[1]]
    return None


def alone(picture: np.ndarray, sheet: np.ndarray) -> np.ndarray:
    """Returns the picture, `[H, W]` or `[H, W, C]`, with the sheet's edges drawn out over its surroundings."""
    inner = ndimage.binary_erosion(sheet, iterations=EDGE)
    inside = inner if inner.any() else sheet
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    return np.asarray(picture[tuple(nearest)])


def edge(values: np.ndarray) -> np.ndarray:
    """Returns the outermost rows and columns, one after the other."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def rectangle(bright: np.ndarray) -> np.ndarray | None:
    """Returns the largest connected part with its holes filled, if it is a written-on rectangle within the picture."""
    labels, count = ndimage.label(bright)
    if not count:
        return None
    part = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    if sum(side.any() for side in (part[0], part[-1], part[:, 0], part[:, -1])) > CUT:
        return None
    filled = np.asarray(ndimage.binary_fill_holes(part))
    area, bare = filled.sum(), (bright & filled).sum()
    if not SMALLEST <= area / filled.size <= LARGEST or bare < (1 - WRITTEN) * area:
        return None
    outline = np.argwhere(filled & ~ndimage.binary_erosion(filled, border_value=0)).astype(np.float32)
    along = outline @ np.stack([np.cos(ANGLES), np.sin(ANGLES)]).astype(np.float32)
    across = outline @ np.stack([-np.sin(ANGLES), np.cos(ANGLES)]).astype(np.float32)
    sides = np.stack([np.ptp(along, axis=0), np.ptp(across, axis=0)]) + 1
    shorter, longer = np.sort(sides[:, sides.prod(axis=0).argmin()])
    is_stroke = bare == area and shorter < STROKE * longer
    return filled if area >= RECTANGULAR * shorter * longer and not is_stroke else None

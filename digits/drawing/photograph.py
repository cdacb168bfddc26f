"""Finds the strokes in a photograph, scan or screenshot, whatever the light and the surroundings.

The paper's brightness is estimated at each place by a morphological closing that is wider than any stroke, so that
light and shadow, and whatever is wide, vanish from the difference (Gonzalez and Woods, Digital Image Processing,
"bottom-hat transformation"). `digits.drawing.parts` decides which of the strokes are a digit.
"""

import numpy as np
from scipy import ndimage

from digits.drawing import sheets

WINDOW = 0.3  # of the longer side; strokes are narrower
DARKEST_PAPER = 0.3  # of the lightest; where it is darker, contrasts are not raised further
RELATIVE = 0.4  # contrast of the weaker of dark and light strokes, of the stronger's, at which it may be the ink
DEVIATIONS = 4.0  # of the paper's noise, above which something is ink
PICTURE = 0.12  # distance of colours, 0 to 1: what is opaque shows a picture if one is farther from their median
LEVEL = 3 / 255  # difference of two pixels of the same colour
EVEN, MOST = 0.95, 0.6  # shares of the edge, and of all pixels, that have the colour of flat paper
OPAQUE = 0.9  # alpha of what belongs to a sheet; shadows around it have less


def strength(picture: np.ndarray) -> np.ndarray:
    """Returns the contrast of ink to the paper around it, without the paper's noise.

    Args:
        picture: uint8 `[H, W, C]`, grey, RGB or RGBA.

    Returns:
        float32 `[H, W]`, 0 to 1.
    """
    values = picture.astype(np.float32) / 255
    if values.shape[-1] < 4:
        return strokes(values)
    sheet = opaque_sheet(values)
    return _above_noise(values[..., 3]) if sheet is None else strokes(sheet)


def opaque_sheet(picture: np.ndarray) -> np.ndarray | None:
    """Returns a picture on ground of its paper's colour, float32 `[H, W, 3]`; None if its alpha is the ink itself."""
    colours, alpha = picture[..., :3], picture[..., 3]
    opaque = alpha >= OPAQUE
    if np.median(sheets.edge(alpha)) >= 0.5:
        return np.asarray(colours * alpha[..., None] + (1 - alpha[..., None]))
    if not opaque.any():
        return None
    rows, columns = (np.flatnonzero(opaque.any(axis=axis)) for axis in (1, 0))
    filled = opaque.sum() / ((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1))
    paper = np.median(colours[opaque], axis=0)
    of_one_colour = np.quantile(np.abs(colours[opaque] - paper).max(axis=-1), 0.999) < PICTURE
    if of_one_colour or filled < 0.5:
        return None
    return sheets.alone(colours, opaque)


def strokes(picture: np.ndarray) -> np.ndarray:
    """Returns the contrast of dark strokes to the paper around them, or of light ones, float32 `[H, W]`, 0 to 1."""
    grey = _clearest(picture)
    if (sheet := sheets.find(grey)) is not None:
        grey = sheets.alone(grey, sheet)
    elif (paper := flat_paper(picture)) is not None:
        return _above_noise(np.abs(picture - paper).max(axis=-1))
    both = [_above_noise(contrast) for contrast in _contrasts(grey)]
    smoothed = [smooth(strength) for strength in both]
    strongest = [float(strength.max()) for strength in smoothed]
    if min(strongest) < RELATIVE * max(strongest) or not any(strongest):
        return both[int(np.argmax(strongest))]
    steps = extreme(grey, 5, np.maximum) - extreme(grey, 5, np.minimum)
    around = np.abs(grey - ndimage.uniform_filter(grey, _window(grey), mode="nearest"))
    return both[int(np.argmax([_outlined(strength, steps) * _distinct(strength, around) for strength in smoothed]))]


def flat_paper(picture: np.ndarray) -> np.ndarray | None:
    """Returns the colour that the edge and most of the picture have, float32 `[C]`; None if there is none."""
    edge = sheets.edge(picture)
    paper = np.median(edge, axis=0)
    if (np.abs(edge - paper).max(axis=-1) <= LEVEL).mean() < EVEN:
        return None
    return np.asarray(paper) if (np.abs(picture - paper).max(axis=-1) <= LEVEL).mean() >= MOST else None


def _clearest(picture: np.ndarray) -> np.ndarray:
    """Returns the channel, or the mean of all, that has the strongest edges: float32 `[H, W]`."""
    channels = np.ascontiguousarray(np.moveaxis(picture, -1, 0))
    candidates = [*channels, channels.mean(axis=0)] if len(channels) > 1 else channels
    return max(candidates, key=lambda grey: float(np.square(np.diff(grey, axis=1)).sum()))


def smooth(values: np.ndarray) -> np.ndarray:
    """Returns the mean of each pixel and its neighbours: less noise."""
    return np.asarray(ndimage.uniform_filter(values, 3, mode="nearest"))


def _contrasts(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the contrast of dark strokes, as if the same light fell everywhere, and that of light strokes.

    The paper is found twice: the smoothed picture has less noise, the other sharper shadows.
    """
    size = _window(grey)
    paper, ground = [
        of_two(*(extreme(extreme(values, size, outer), size, of_two) for values in (smooth(grey), grey)))
        for outer, of_two in ((np.maximum, np.minimum), (np.minimum, np.maximum))  # closing, opening
    ]
    return (paper - grey) / np.maximum(paper, DARKEST_PAPER * paper.max()).clip(1 / 255), grey - ground


def _window(grey: np.ndarray) -> int:
    return round(WINDOW * int(max(grey.shape))) | 1


def extreme(values: np.ndarray, size: int, of_two: np.ufunc) -> np.ndarray:
    """Returns the largest or smallest value in the square around each pixel.

    Each window is put together from two of half its size, which for wide ones takes less time than SciPy's filters.

    Args:
        values: `[H, W]`.
        size: side of the square in pixels, odd.
        of_two: `np.maximum` or `np.minimum`.
    """
    for _ in range(2):
        windows = values.T.take(np.arange(-(size // 2), values.shape[1] + size // 2), axis=0, mode="clip")
        reached = 1
        while reached < size:
            step = min(reached, size - reached)
            windows = of_two(windows[:-step], windows[step:])
            reached += step
        values = windows
    return values


def _above_noise(strength: np.ndarray) -> np.ndarray:
    """Removes the paper's noise: most pixels are paper, so the median is its level and the quartile its deviation."""
    quarter, middle = np.quantile(strength[::2, ::2], (0.25, 0.5))
    floor = middle + DEVIATIONS * 1.5 * (middle - quarter)
    return np.asarray(np.clip(strength - floor, 0, 1))


def _outlined(smoothed: np.ndarray, steps: np.ndarray) -> float:
    """Returns how sharp the outline of the ink is in the picture, 0 to 1.

    Between dark strokes there is light paper; where it is taken for the ink, part of the outline is not in the picture.

    Args:
        smoothed: contrast of the ink to the paper.
        steps: difference of the lightest and the darkest pixel around each.
    """
    ink = smoothed > smoothed.max() / 2
    outline = ink & ~ndimage.binary_erosion(ink, border_value=1)
    if not outline.any():
        return 0.0
    return float((steps[outline] > np.quantile(steps[outline], 0.9) / 3).mean())


def _distinct(smoothed: np.ndarray, around: np.ndarray) -> float:
    """Returns how much the ink differs from what is around it; the paper within a zero does not."""
    return float(around[smoothed > smoothed.max() / 2].mean())

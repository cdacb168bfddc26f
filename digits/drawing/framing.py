"""Turns any drawing into an MNIST-like image: cropped, scaled, of usual stroke width, centred by its mass.

MNIST's own preparation is described by Y. LeCun, C. Cortes and C. Burges: "normalized to fit in a 20x20 pixel box while
preserving their aspect ratio", grey by anti-aliasing, the centre of mass in the centre of 28x28. MNIST's stroke widths
were measured on its training split (docs/log.md). Every image that is not from the network's dataset goes through
`frame`: page, API, command line and the test sets of other people's digits.
"""

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

SIDE, LONGER = 28, 20  # pixels of the frame, and of the drawing's longer side in it
FINE = 4  # oversampling factor of each side while strokes are widened or narrowed
LIGHTEST, HEAVIEST = 1.5, 4.5  # stroke width in pixels of the frame; nearly all of MNIST's digits lie between
FAINTEST = 0.06  # contrast to the background, 0 to 1, below which nothing counts as drawn
VISIBLE = 0.25  # ink above this value belongs to the drawing
SPECK = 0.02  # parts with a smaller share of the ink are removed as dirt
LARGEST = 256  # pixels a side; larger drawings are reduced first


def frame(drawing: np.ndarray) -> np.ndarray | None:
    """Returns the drawing as an MNIST-like image, independent of position, size, ink colour and canvas.

    Args:
        drawing: uint8 `[H, W]`, `[H, W, 1]` grey, `[H, W, 3]` RGB or `[H, W, 4]` RGBA with straight alpha; dark on
            light or light on dark. Where the edge is transparent, alpha is the ink, whatever the colour.

    Returns:
        uint8 `[28, 28]`, light ink on black; None if nothing is drawn.

    Raises:
        ValueError: the array has another shape or dtype.
    """
    ink = clean(strength(drawing))
    if ink is None or ink.max() <= VISIBLE:  # only dirt
        return None
    fine = np.pad(fit(crop(ink), LONGER * FINE), LONGER * FINE // 4)
    return None if fine.max() <= VISIBLE else centre(fit(crop(reweigh(fine)), LONGER))


def strength(drawing: np.ndarray) -> np.ndarray:
    """Returns the ink at each pixel: its distance from the background, float32 `[H, W]`, 0 to 1."""
    if drawing.dtype != np.uint8 or drawing.ndim not in (2, 3) or not drawing.size:
        raise ValueError(f"a drawing is uint8 [H, W] or [H, W, C] and not empty, not {drawing.dtype} {drawing.shape}")
    channels = drawing[..., None] if drawing.ndim == 2 else drawing
    if channels.shape[-1] not in (1, 3, 4):
        raise ValueError(f"a drawing has 1, 3 or 4 channels, not {channels.shape[-1]}")
    channels = reduced(channels).astype(np.float32) / 255
    if channels.shape[-1] == 4:
        alpha = channels[..., 3]
        if np.median(edge(alpha)) < 0.5:
            return alpha
        channels = channels[..., :3] * alpha[..., None] + (1 - alpha[..., None])  # on white paper
    return paper_and_ink(channels)


def reduced(channels: np.ndarray) -> np.ndarray:
    """Reduces to at most `LARGEST` pixels a side; each is the mean of those that it replaces."""
    factor = -(-max(channels.shape[:2]) // LARGEST)
    if factor == 1:
        return channels
    return np.stack(
        [np.asarray(Image.fromarray(np.ascontiguousarray(c)).reduce(factor)) for c in np.moveaxis(channels, -1, 0)],
        axis=-1,
    )


def edge(values: np.ndarray) -> np.ndarray:
    """Returns the outermost pixels, `[N, ...]`."""
    return np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])


def paper_and_ink(channels: np.ndarray) -> np.ndarray:
    """Returns the distance of each pixel from the paper's colour, the median of the edge, float32 `[H, W]`."""
    paper = np.median(edge(channels), axis=0)
    distance = np.abs(channels - paper).max(axis=-1)
    far = distance > distance.max() / 2
    if far.mean() > 0.5 and edge(far).mean() > 0.3:  # a tight crop: the edge is mostly ink
        paper = np.median(channels[far], axis=0)
        distance = np.abs(channels - paper).max(axis=-1)
    return np.asarray(distance, dtype=np.float32)


def clean(strength: np.ndarray) -> np.ndarray | None:
    """Removes the paper's noise and dirt and scales ink to 0 to 1, 1 inside a stroke; None without ink."""
    strongest = float(strength.max())
    if strongest < FAINTEST:
        return None
    threshold = strongest * otsu(strength / strongest)
    # The lower quartile, as up to three quarters of the edge may be drawn on; of normal noise it is 0.32 deviations.
    outermost = np.sort(edge(strength))
    noise = min(10 * float(outermost[len(outermost) // 4]), threshold)
    strokes = np.sort(strength[strength >= threshold])
    full = float(strokes[int(0.9 * len(strokes))])
    if full - noise < FAINTEST:
        return None
    return without_specks(np.clip((strength - noise) / (full - noise), 0, 1))


def otsu(values: np.ndarray) -> float:
    """Returns the threshold, 0 to 1, that separates paper and ink best (Otsu, 1979)."""
    counts = np.bincount((values * 255).astype(np.uint8).ravel(), minlength=256).astype(np.float64)
    below, levels = np.cumsum(counts), np.arange(256)
    total, mass = below[-1], np.cumsum(counts * levels)
    between = (mass[-1] * below - total * mass) ** 2 / np.maximum(below * (total - below), 1)
    best = np.flatnonzero(between == between.max())  # within a gap between the two, its middle
    return float(best.mean()) / 255


def without_specks(ink: np.ndarray) -> np.ndarray:
    """Removes the parts with less than `SPECK` of the ink; the others keep their soft edges."""
    parts, count = ndimage.label(ink > VISIBLE, structure=np.ones((3, 3)))
    if count < 2:
        return ink
    masses = np.bincount(parts.ravel(), weights=ink.ravel())
    large = masses >= SPECK * masses[1:].sum()
    large[0] = False
    return np.asarray(np.where(ndimage.binary_dilation(large[parts], np.ones((3, 3))), ink, 0))


def crop(ink: np.ndarray) -> np.ndarray:
    """Crops to the visible ink."""
    visible = ink > VISIBLE
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: np.ndarray, longer: int) -> np.ndarray:
    """Resamples so that the longer side has `longer` pixels."""
    scale = longer / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    resampled = Image.fromarray(ink.astype(np.float32)).resize((width, height), method)
    return np.asarray(np.clip(np.asarray(resampled), 0, 1))


def reweigh(fine: np.ndarray) -> np.ndarray:
    """Widens strokes that are too thin and narrows those that are too wide, equally on both sides."""
    width = stroke_width(fine) / FINE
    target = min(max(width, LIGHTEST), HEAVIEST)
    image = Image.fromarray(np.round(fine * 255).astype(np.uint8))
    for steps in range(round(abs(target - width) * FINE / 2), 0, -1):
        kind = ImageFilter.MaxFilter if target > width else ImageFilter.MinFilter
        changed = np.asarray(image.filter(kind(2 * steps + 1)))
        if changed.max() > 128:  # otherwise thin parts would vanish: try one step less
            return np.asarray(changed / np.float32(255))
    return fine


def stroke_width(ink: np.ndarray) -> float:
    """Returns the mean stroke width in pixels: twice the area divided by the outline's length (total variation)."""
    down, right = np.diff(ink, axis=0)[:, :-1], np.diff(ink, axis=1)[:-1]
    outline = float(np.sqrt(down**2 + right**2).sum())
    return 2 * float(ink.sum()) / outline if outline else 0.0


def centre(ink: np.ndarray) -> np.ndarray:
    """Places the ink in a frame of 28x28, by whole pixels, with its centre of mass as near the middle as fits."""
    height, width = ink.shape
    mass = ndimage.center_of_mass(ink)
    top, left = (min(max(round((SIDE - 1) / 2 - at), 0), SIDE - size) for at, size in zip(mass, ink.shape, strict=True))
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = np.round(ink * 255)
    return image

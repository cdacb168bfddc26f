"""Turns any drawing into an MNIST-like image: cropped, scaled, of usual stroke width, centred by its mass.

MNIST's own preparation is described by Y. LeCun, C. Cortes and C. Burges: "normalized to fit in a 20x20 pixel box while
preserving their aspect ratio", grey by anti-aliasing, the centre of mass in the centre of 28x28. MNIST's stroke widths
were measured on its training split (docs/log.md). Every image that is not from the network's dataset goes through
`frame`: page, API, command line and the test sets of other people's digits.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np
from PIL import Image
from scipy import ndimage

from digits.drawing import parts, photograph

SIDE, LONGER = 28, 20  # pixels of the frame, and of the drawing's longer side in it
DARK = 64  # of 255, the background of a frame at most
MOSTLY = 0.2  # share of the edge that is background, at least, in what may be a frame
AS_FRAMES = 3  # pixels by which an image may differ from a frame in size and place
FINE = 4  # oversampling factor of each side while strokes are widened or narrowed
LIGHTEST, HEAVIEST = 1.5, 4.5  # stroke width in pixels of the frame; nearly all of MNIST's digits lie between
VISIBLE = 0.25  # ink above this value belongs to the drawing
SPECK = 0.02  # parts with a smaller share of the ink are removed as dirt
PICTURE = 128  # pixels of the longer side from which on a drawing may be a photograph, with more than a digit on it
LARGEST = 256  # pixels a side; larger drawings are reduced first
AT_ONCE = 50_000  # pixels that are worked on together: what fits the processor's cache
WITHIN_AN_IMAGE = np.stack([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])  # a pixel's neighbours in a stack


@dataclass(frozen=True)
class Digit:
    """A digit that was found in a picture.

    Attributes:
        frame: uint8 `[28, 28]`, light ink on black, as MNIST's.
        box: left, top, right and bottom, as shares of the picture's width and height.
    """

    frame: np.ndarray
    box: tuple[float, float, float, float]


def frame(drawing: np.ndarray) -> np.ndarray | None:
    """Returns the most prominent digit as an MNIST-like image, whatever its position, size, colour, canvas and light.

    Args:
        drawing: uint8 `[H, W]`, `[H, W, 1]` grey, `[H, W, 3]` RGB or `[H, W, 4]` RGBA with straight alpha; dark on
            light or light on dark. Where the edge is transparent and the rest of one colour, alpha is the ink.

    Returns:
        uint8 `[28, 28]`, light ink on black; None if nothing is drawn.

    Raises:
        ValueError: the array has another shape or dtype.
    """
    return frames([drawing])[0]


def frames(drawings: Sequence[np.ndarray]) -> list[np.ndarray | None]:
    """Returns the `frame` of each drawing; small ones of one shape in a row take half the time."""
    result: list[np.ndarray | None] = []
    for stack in stacks([checked(drawing) for drawing in drawings]):
        if _is_picture(stack[0]):
            result += [digits[0].frame if (digits := find(picture)) else None for picture in stack]
        else:
            for image, ink in zip(stack, clean(strength(stack)), strict=True):
                result.append(image[..., 0].copy() if is_frame(image, ink) else normalized(ink))
    return result


def is_frame(image: np.ndarray, ink: np.ndarray) -> bool:
    """Returns whether the image is one of MNIST's kind already: light on dark, as large, and in the middle."""
    if image.shape != (SIDE, SIDE, 1) or np.quantile(edge(image[None]), MOSTLY) > DARK:
        return False
    visible = ink > VISIBLE
    if not visible.any():
        return False
    extent = max(np.ptp(np.flatnonzero(visible.any(axis=axis))) + 1 for axis in (0, 1))
    middle = [(ink.sum(axis=axis) @ np.arange(SIDE)) / ink.sum() for axis in (0, 1)]
    return bool(extent >= LONGER - AS_FRAMES and max(abs(at - (SIDE - 1) / 2) for at in middle) <= AS_FRAMES)


def find(drawing: np.ndarray) -> list[Digit]:
    """Returns the digits in a picture, the most prominent first.

    In an image of less than `PICTURE` pixels a side there is one at most.

    Args:
        drawing: see `frame`.

    Raises:
        ValueError: see `frame`.
    """
    channels = checked(drawing)
    if not _is_picture(channels):
        only = frame(channels)
        return [] if only is None else [Digit(only, (0.0, 0.0, 1.0, 1.0))]
    small = reduced(channels)
    digits = []
    for ink, part in parts.digits(photograph.strength(small)):
        if (framed := normalized(ink)) is not None:
            height, width = small.shape[:2]
            digits.append(
                Digit(framed, (part.left / width, part.top / height, part.right / width, part.bottom / height))
            )
    return digits


def in_reading_order(digits: Iterable[Digit]) -> list[Digit]:
    """Returns the digits of each line from left to right, the lines from top to bottom."""
    lines: list[list[Digit]] = []
    for digit in sorted(digits, key=lambda digit: digit.box[1] + digit.box[3]):
        middle = (digit.box[1] + digit.box[3]) / 2
        if lines and middle < max(other.box[3] for other in lines[-1]):
            lines[-1].append(digit)
        else:
            lines.append([digit])
    return [digit for line in lines for digit in sorted(line, key=lambda digit: digit.box[0])]


def _is_picture(channels: np.ndarray) -> bool:
    return int(max(channels.shape[:2])) >= PICTURE


def checked(drawing: np.ndarray) -> np.ndarray:
    """Returns the drawing as `[H, W, C]`; raises if it is none."""
    if drawing.dtype != np.uint8 or drawing.ndim not in (2, 3) or not drawing.size:
        raise ValueError(f"a drawing is uint8 [H, W] or [H, W, C] and not empty, not {drawing.dtype} {drawing.shape}")
    channels = drawing[..., None] if drawing.ndim == 2 else drawing
    if channels.shape[-1] not in (1, 3, 4):
        raise ValueError(f"a drawing has 1, 3 or 4 channels, not {channels.shape[-1]}")
    return channels


def reduced(channels: np.ndarray) -> np.ndarray:
    """Reduces to at most `LARGEST` pixels a side; each is the mean of those that it replaces."""
    factor = -(-int(max(channels.shape[:2])) // LARGEST)
    if factor == 1:
        return channels
    image = Image.fromarray(np.ascontiguousarray(channels.squeeze(-1) if channels.shape[-1] == 1 else channels))
    return np.asarray(image.reduce(factor)).reshape(-(-channels.shape[0] // factor), -1, channels.shape[-1])


def stacks(drawings: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yields the drawings in order, `[N, H, W, C]`: as many in a row as have one shape, up to `AT_ONCE` pixels."""
    for shape, alike in groupby(drawings, key=lambda drawing: drawing.shape):
        while some := list(islice(alike, max(1, AT_ONCE // (shape[0] * shape[1])))):
            yield np.stack(some)


def strength(drawings: np.ndarray) -> np.ndarray:
    """Returns the ink at each pixel, its distance from the background: float32 `[N, H, W]`, 0 to 1."""
    channels = drawings.astype(np.float32) / 255
    if channels.shape[-1] < 4:
        return paper_and_ink(channels)
    colours, alpha = channels[..., :3], channels[..., 3]
    transparent = np.median(edge(alpha), axis=1) < 0.5
    ink = alpha.copy()
    if not transparent.all():
        on_white = colours * alpha[..., None] + (1 - alpha[..., None])
        ink[~transparent] = paper_and_ink(on_white[~transparent])
    return ink


def edge(values: np.ndarray) -> np.ndarray:
    """Returns the outermost pixels of each, `[N, pixels, ...]`."""
    return np.concatenate([values[:, 0], values[:, -1], values[:, 1:-1, 0], values[:, 1:-1, -1]], axis=1)


def paper_and_ink(channels: np.ndarray) -> np.ndarray:
    """Returns the distance of each pixel from the paper's colour, the median of the edge, float32 `[N, H, W]`."""
    paper = np.median(edge(channels), axis=1)
    distance = np.abs(channels - paper[:, None, None]).max(axis=-1)
    far = distance > distance.max(axis=(1, 2), keepdims=True) / 2
    tight_crop = (far.mean(axis=(1, 2)) > 0.5) & (edge(far).mean(axis=1) > 0.3)  # the edge is mostly ink
    for number in np.flatnonzero(tight_crop):
        other_paper = np.median(channels[number][far[number]], axis=0)
        distance[number] = np.abs(channels[number] - other_paper).max(axis=-1)
    return np.asarray(distance)


def clean(strength: np.ndarray) -> np.ndarray:
    """Removes the paper's noise and dirt and scales ink to 0 to 1, 1 inside a stroke; 0 everywhere without ink."""
    strongest = strength.max(axis=(1, 2)).astype(np.float64)
    threshold = strongest * otsu(strength / _each(np.maximum(strongest, parts.FAINTEST)))
    # The lower quartile, as up to three quarters of the edge may be drawn on; of normal noise it is 0.32 deviations.
    outermost = np.sort(edge(strength), axis=1)
    noise = np.minimum(10 * outermost[:, outermost.shape[1] // 4].astype(np.float64), threshold)
    full = np.array(
        [ninth_decile(image[stroke]) for image, stroke in zip(strength, strength >= _each(threshold), strict=True)]
    )
    drawn = (strongest >= parts.FAINTEST) & (full - noise >= parts.FAINTEST)
    ink = np.clip((strength - _each(noise)) / _each(np.where(drawn, full - noise, 1)), 0, 1)
    return without_specks(np.where(drawn[:, None, None], ink, np.float32(0)))


def ninth_decile(values: np.ndarray) -> float:
    """Returns the value below which nine tenths of `values` lie."""
    place = int(0.9 * len(values))
    return float(np.partition(values, place)[place])


def _each(values: np.ndarray) -> np.ndarray:
    """Returns one value for each image, to calculate with all of its pixels, float32."""
    return values.astype(np.float32)[:, None, None]


def otsu(values: np.ndarray) -> np.ndarray:
    """Returns the threshold, 0 to 1, that separates paper and ink of each image best (Otsu, 1979), float64 `[N]`."""
    levels = np.arange(256)
    numbered = (values * 255).astype(np.uint8) + 256 * np.arange(len(values))[:, None, None]
    counts = np.bincount(numbered.ravel(), minlength=256 * len(values)).reshape(-1, 256).astype(np.float64)
    below, mass = np.cumsum(counts, axis=1), np.cumsum(counts * levels, axis=1)
    total, whole_mass = below[:, -1:], mass[:, -1:]
    between = (whole_mass * below - total * mass) ** 2 / np.maximum(below * (total - below), 1)
    best = between == between.max(axis=1, keepdims=True)  # within a gap between the two, its middle
    return np.asarray((best * levels).sum(axis=1) / best.sum(axis=1) / 255)


def without_specks(ink: np.ndarray) -> np.ndarray:
    """Removes the parts with less than `SPECK` of an image's ink; the others keep their soft edges."""
    parts, count = ndimage.label(ink > VISIBLE, structure=WITHIN_AN_IMAGE)
    last_part = np.maximum.accumulate(parts.max(axis=(1, 2)))  # of each image: parts are numbered from image to image
    image_of_part = np.searchsorted(last_part, np.arange(1, count + 1))
    several = np.bincount(image_of_part, minlength=len(ink)) > 1
    if not several.any():
        return ink
    masses = np.bincount(parts.ravel(), weights=ink.ravel())[1:]
    totals = np.bincount(image_of_part, weights=masses)
    large = np.concatenate([[False], masses >= SPECK * totals[image_of_part]])
    near = ndimage.binary_dilation(large[parts[several]], WITHIN_AN_IMAGE)
    ink[several] = np.where(near, ink[several], 0)
    return ink


def normalized(ink: np.ndarray) -> np.ndarray | None:
    """Returns clean ink at MNIST's size, stroke width and place, uint8 `[28, 28]`; None if nothing is visible."""
    if ink.max() <= VISIBLE:
        return None
    fitted = fit(crop(ink), LONGER * FINE)
    margin = LONGER * FINE // 4
    fine = np.zeros([side + 2 * margin for side in fitted.shape], np.float32)
    fine[margin:-margin, margin:-margin] = fitted
    return None if fine.max() <= VISIBLE else centre(fit(crop(reweigh(fine)), LONGER))


def crop(ink: np.ndarray) -> np.ndarray:
    """Crops to the visible ink."""
    visible = ink > VISIBLE
    rows, columns = (np.flatnonzero(visible.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: np.ndarray, longer: int) -> np.ndarray:
    """Resamples so that the longer side has `longer` pixels."""
    scale = longer / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    resampled = Image.fromarray(ink).resize((width, height), method)
    return np.asarray(resampled).clip(0, 1)


def reweigh(fine: np.ndarray) -> np.ndarray:
    """Widens strokes that are too thin and narrows those that are too wide, equally on both sides."""
    width = stroke_width(fine) / FINE
    target = min(max(width, LIGHTEST), HEAVIEST)
    steps = round(abs(target - width) * FINE / 2)
    if not steps:
        return fine
    image = np.round(fine * 255).astype(np.uint8)
    for steps_taken in range(steps, 0, -1):
        extreme = ndimage.maximum_filter if target > width else ndimage.minimum_filter
        changed = extreme(image, 2 * steps_taken + 1, mode="nearest")
        if changed.max() > 128:  # otherwise thin parts would vanish: try one step less
            return np.asarray(changed / np.float32(255))
    return fine


def stroke_width(ink: np.ndarray) -> float:
    """Returns the mean stroke width in pixels: twice the area divided by the outline's length (total variation)."""
    down, right = np.diff(ink, axis=0)[:, :-1], np.diff(ink, axis=1)[:-1]
    slope = np.square(down)
    slope += np.square(right)
    outline = float(np.sqrt(slope, out=slope).sum())
    return 2 * float(ink.sum()) / outline if outline else 0.0


def centre(ink: np.ndarray) -> np.ndarray:
    """Places the ink in a frame of 28x28, by whole pixels, with its centre of mass as near the middle as fits."""
    height, width = ink.shape
    rows, columns = np.arange(float(height))[:, None], np.arange(float(width))
    mass = ink.sum()
    centre_of_mass = (ink * rows).sum() / mass, (ink * columns).sum() / mass
    top, left = (
        min(max(round((SIDE - 1) / 2 - at), 0), SIDE - size) for at, size in zip(centre_of_mass, ink.shape, strict=True)
    )
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = np.round(ink * 255)
    return image

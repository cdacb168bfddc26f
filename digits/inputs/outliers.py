"""Synthetic out-of-distribution images for outlier exposure.

Trained to answer the uniform distribution to them, a network also becomes less confident on other images that belong to
no class (Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", https://arxiv.org/abs/1812.04606).
"""

from itertools import islice

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.core.progress import track
from digits.drawing import framing, strokes
from digits.drawing.strokes import Drawing
from digits.inputs import shapes
from digits.splits.split import Split

CANVAS = 84
TURNS = 4  # of each drawing, which takes the time: as it is, upside down, and mirrored both ways
HANDWRITTEN = list(shapes.LETTERS)
# Letters and signs that no digit looks like, in print: without bBDgGiIlLoOpPqQsSzZ and the like.
PRINTED = "AacCdeEfFhHJjkKmMnNrRtTuUvVwWxXyY&@#%?+*=<>$"
BY_HAND = 0.6  # share of the letters that are handwritten; the others are printed
SHARES = {"drawn": 0.4, "letters": 0.25}  # of the outliers; the others are made of the split's images


def make(split: Split, count: int, seed: int) -> np.ndarray:
    """Returns outliers: some are drawn at random, some are letters, the others are made of the split's images.

    Args:
        split: the source of the pieces, and of the size of the images.
        count: number of outliers.
        seed: the same seed gives the same images.

    Returns:
        uint8 `[count, H, W, C]`, the drawn ones first.
    """
    random = np.random.default_rng(seed)
    drawn, letters = (round(count * SHARES[kind]) for kind in ("drawn", "letters"))
    different = -(-drawn // TURNS)
    numbers = iter(track(range(different + letters), "outliers", different + letters))
    drawings = [_drawn(SHAPES[n % len(SHAPES)](random), split, random) for n in islice(numbers, different)]
    turned = [view for drawing in drawings for view in (drawing, drawing[::-1, ::-1], drawing[::-1], drawing[:, ::-1])]
    alphabet = [_letter(number - different, split, random) for number in numbers]
    pieces = [PIECES[number % len(PIECES)](split, random) for number in range(count - drawn - letters)]
    return np.array([*turned[:drawn], *alphabet, *pieces], np.uint8).reshape(count, *split.images.shape[1:])


def _slab(split: Split, random: np.random.Generator) -> np.ndarray:
    """Fills half of the image, or a thick bar, as a shadow or a finger does."""
    height, width, channels = split.images.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    angle, place, size = random.uniform(0, 2 * np.pi), random.uniform(-0.3, 0.3), random.uniform(0.15, 1)
    across = (rows / height - 0.5) * np.cos(angle) + (columns / width - 0.5) * np.sin(angle) - place
    filled = np.clip((size / 2 - np.abs(across - size / 2)) * height + 0.5, 0, 1)
    return np.repeat((255 * filled).astype(np.uint8)[..., None], channels, axis=-1)


def _letter(number: int, split: Split, random: np.random.Generator) -> np.ndarray:
    """Returns a letter, handwritten or printed."""
    if random.random() < BY_HAND:
        return _drawn(shapes.letter(HANDWRITTEN[number % len(HANDWRITTEN)], random), split, random)
    return _printed(PRINTED[number % len(PRINTED)], split, random)


def _printed(letter: str, split: Split, random: np.random.Generator) -> np.ndarray:
    """Prints a letter in the font that comes with Pillow, a little turned, slanted and stretched."""
    image = Image.new("L", (CANVAS, CANVAS), 255)
    ImageDraw.Draw(image).text((CANVAS / 2, CANVAS / 2), letter, 0, ImageFont.load_default(CANVAS // 2), anchor="mm")
    angle, slant = random.uniform(-0.25, 0.25), random.uniform(-0.3, 0.4)
    wide, tall = random.uniform(0.7, 1.3, 2)
    matrix = np.array([[wide, slant], [0, tall]]) @ shapes.rotation(angle)
    offset = CANVAS / 2 - matrix @ np.full(2, CANVAS / 2)
    data = tuple(np.column_stack([matrix, offset]).ravel())
    moved = image.transform(image.size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR, fillcolor=255)
    return _framed(np.asarray(moved), split)


def _drawn(lines: shapes.Strokes, split: Split, random: np.random.Generator) -> np.ndarray:
    """Draws lines with a pen of random width, as large as the canvas allows."""
    points = np.concatenate(lines)
    low, extent = points.min(axis=0), np.ptp(points, axis=0).max()
    pen = float(random.uniform(3, 9))
    scaled = tuple((line - low) / extent * (CANVAS - 2 * pen) + pen for line in lines)
    return _framed(strokes.render(Drawing(None, "", (CANVAS, CANVAS), pen, scaled)), split)


def _framed(drawing: np.ndarray, split: Split) -> np.ndarray:
    """Returns the drawing's frame in the size of the split's images."""
    frame = framing.frame(drawing)
    height, width, channels = split.images.shape[1:]
    image = Image.fromarray(np.zeros((28, 28), np.uint8) if frame is None else frame)
    return np.repeat(np.asarray(image.resize((width, height)))[..., None], channels, axis=-1)


def _overlay(split: Split, random: np.random.Generator) -> np.ndarray:
    """Combines two images of different classes, the second rotated by a multiple of 90 degrees."""
    first = random.integers(len(split))
    others = np.flatnonzero(split.labels != split.labels[first])
    second = split.images[random.choice(others)]
    rotated = np.rot90(second, int(random.integers(1, 4))) if second.shape[0] == second.shape[1] else second[::-1]
    return np.asarray(np.maximum(split.images[first], rotated))


def _shuffled(split: Split, random: np.random.Generator) -> np.ndarray:
    """Combines quarters of four images, none in its original place."""
    height, width = (side // 2 for side in split.images.shape[1:3])
    image = np.zeros(split.images.shape[1:], np.uint8)
    corners = [(top, left) for top in (0, height) for left in (0, width)]
    shift = random.integers(1, 4)
    for number, (top, left) in enumerate(corners):
        from_top, from_left = corners[(number + shift) % 4]
        source = split.images[random.integers(len(split))]
        piece = source[from_top : from_top + height, from_left : from_left + width]
        image[top : top + height, left : left + width] = piece
    return image


def _encircled(split: Split, random: np.random.Generator) -> np.ndarray:
    """Puts a smaller image into a ring or a box."""
    image = split.images[random.integers(len(split))]
    height, width, channels = image.shape
    half = width // 2, height // 2
    small = [np.asarray(Image.fromarray(channel).resize(half)) for channel in np.moveaxis(image, -1, 0)]
    canvas = Image.new("L", (width, height))
    inset = random.uniform(0.04, 0.12) * width
    box = (inset, inset, width - 1 - inset, height - 1 - inset)
    draw = ImageDraw.Draw(canvas)
    (draw.ellipse if random.random() < 0.5 else draw.rectangle)(box, outline=255, width=int(random.integers(1, 3)))
    outlined = np.repeat(np.asarray(canvas)[..., None], channels, axis=-1).copy()
    top, left = (height - height // 2) // 2, (width - width // 2) // 2
    place = outlined[top : top + height // 2, left : left + width // 2]
    place[:] = np.maximum(place, np.stack(small, axis=-1))
    return outlined


SHAPES = (
    shapes.glyph, shapes.scribble, shapes.glyph, shapes.polygon, shapes.flower,
    shapes.blob, shapes.marked_ring, shapes.glyph, shapes.scribble, shapes.marked_ring,
)  # fmt: skip
PIECES = (_overlay, _shuffled, _encircled, _slab)

"""Chooses the strokes of digits among all that a picture shows: rules, frames, dirt and other things are left out.

Nothing is left out when too little for a digit would remain: a digit at the edge of a picture is still read.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from digits.drawing import lines, rings

MOST = 32  # digits of a picture; the less prominent ones are left out
FRAMED = 8  # digits, the most prominent ones, that are separated from a ring or a frame: it takes a millisecond each
COMPARED = 96  # parts, the most prominent ones: each is compared with each
FAINTEST = 0.06  # contrast to the background, 0 to 1, below which nothing counts as drawn
DIRT = 0.02  # share of the largest part's pixels, or of all ink, below which a part is dirt
FILLED = 0.85  # share of its box that a spot fills, at least; a straight stroke does too, but is narrow
SMALLEST = 5  # pixels, of the longer side of a digit
ENOUGH = 0.1  # height or width of a digit, at least, as a share of the picture's longer side
LOWEST = 0.4  # height of a digit, at least, as a share of its width
SOFT = 3  # pixels by which the soft edge of what surrounds a sheet goes beyond it
MARGIN = 0.12  # of the picture's width or height
ENCLOSED = 0.3  # height of a digit that is framed or underlined, at least, as a share of the frame's or line's
HOLLOW = 0.4  # share of its box that a frame fills, at most
NEAR = 0.12  # distance of the parts of one digit, at most, as a share of their larger side
ABOVE = 0.35  # the same for parts one above the other
FAR = 0.5  # distance from a digit, as a share of its larger side, up to which small parts belong to it
ALIKE = 0.6  # height, and contrast, of another digit, at least, as a share of the largest one's


@dataclass(frozen=True)
class Part:
    """A connected part of the ink, or several; the box is in pixels, `bottom` and `right` outside.

    Attributes:
        numbers: in the labelled image.
        top: first row.
        left: first column.
        bottom: the row after the last.
        right: the column after the last.
        pixels: their number.
        mass: the sum of their contrasts.
    """

    numbers: tuple[int, ...]
    top: int
    left: int
    bottom: int
    right: int
    pixels: int
    mass: float

    @property
    def box(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def height(self) -> int:
        """Of the box."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Of the box."""
        return self.right - self.left

    @property
    def longer(self) -> int:
        """Side of the box."""
        return max(self.height, self.width)

    @property
    def weight(self) -> float:
        """How much it stands out: by its ink and its size."""
        return self.mass * self.longer

    @property
    def is_filled(self) -> bool:
        """Whether it is no stroke but a spot or a slab."""
        return self.pixels >= FILLED * self.height * self.width and min(self.height, self.width) >= self.longer / 2

    def joined(self, other: "Part") -> "Part":
        """Returns both as one."""
        return Part(
            self.numbers + other.numbers,
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
            self.pixels + other.pixels,
            self.mass + other.mass,
        )

    def gaps(self, other: "Part") -> tuple[int, int]:
        """Returns the vertical and the horizontal distance of the boxes; negative where they overlap."""
        vertical = max(other.top - self.bottom, self.top - other.bottom)
        return vertical, max(other.left - self.right, self.left - other.right)

    def belongs_to(self, other: "Part") -> bool:
        """Returns whether both are parts of one digit: they nearly touch, or one is just above the other."""
        vertical, horizontal = self.gaps(other)
        larger = max(self.longer, other.longer)
        if max(vertical, horizontal) <= NEAR * larger:
            return True
        return -horizontal >= min(self.width, other.width) / 2 and vertical <= ABOVE * larger

    def touches_edge(self, shape: tuple[int, ...]) -> bool:
        """Returns whether it reaches the edge of a picture."""
        return self.top <= 1 or self.left <= 1 or self.bottom >= shape[0] - 1 or self.right >= shape[1] - 1

    def in_margin(self, shape: tuple[int, ...]) -> bool:
        """Returns whether it lies in the margin of a picture, where punched holes are."""
        height, width = shape
        beyond = min(self.bottom / height, self.right / width) <= MARGIN
        return beyond or max(self.top / height, self.left / width) >= 1 - MARGIN

    def encloses(self, other: "Part") -> bool:
        """Returns whether the other, large enough for a digit, lies in this one as in a frame."""
        beyond = self.top < other.top and self.left < other.left
        beyond = beyond and self.bottom > other.bottom and self.right > other.right
        hollow = self.pixels <= HOLLOW * self.height * self.width
        return beyond and hollow and other.height >= ENCLOSED * self.height

    def is_line_beside(self, rest: "Part") -> bool:
        """Returns whether it is a straight line under, over or beside the rest, too long to belong to it."""
        if self.pixels > lines.LINE * self.longer**2 or min(self.height, self.width) > 2 * lines.LINE * self.longer:
            return False
        if rest.height < ENCLOSED * self.longer:  # a stroke and a dash
            return False
        vertical, horizontal = self.gaps(rest)
        if self.width > self.height:
            longest = 0.8 if self.top > rest.top else 1.5  # over a digit it may be the top of a five
            return vertical >= -0.1 * rest.height and self.width > longest * rest.width
        return horizontal >= -0.1 * rest.width and self.height > 1.3 * rest.height


def digits(strength: np.ndarray) -> list[tuple[np.ndarray, Part]]:
    """Returns the digits, the most prominent first: the ink of each, float32 `[H, W]`, 1 inside a stroke, and its box.

    Args:
        strength: contrast of strokes to the paper, float32 `[H, W]`, 0 to 1, without the paper's noise.
    """
    smooth = np.asarray(ndimage.uniform_filter(strength, 3, mode="nearest"))
    if smooth.max() < FAINTEST:
        return []
    ink = marks(smooth)
    without_rules = ink & ~lines.rules(ink)
    labels, parts = connected(without_rules, strength)
    if not any(_may_be_digit(part, ink.shape) for part in parts):
        labels, parts = connected(ink, strength)
    found: list[tuple[np.ndarray, Part]] = []
    for part in grouped(candidates(parts, ink.shape)):
        if part.longer < SMALLEST or part.pixels < DIRT * ink.sum() or part.is_filled:
            continue
        strokes = np.isin(labels[part.box], part.numbers)
        strokes = unattached(strokes, strength[part.box], in_frame=len(found) < FRAMED)
        found.append((drawn(strength, ink, strokes, part), part))
        if len(found) == MOST:
            break
    return found


def unattached(strokes: np.ndarray, strength: np.ndarray, *, in_frame: bool) -> np.ndarray:
    """Returns a digit's strokes without what touches them: a ring or a frame around them, a line beneath.

    Args:
        strokes: bool `[H, W]`, cropped.
        strength: contrast of strokes to the paper, float32 `[H, W]`.
        in_frame: whether a ring or a frame is looked for, too.
    """
    contrast = strength / full_contrast(strength, strokes)
    if in_frame:
        inner = rings.without_ring(strokes)
        inner = lines.without_frame(strokes, contrast) if inner is None else inner
        strokes = strokes if inner is None else inner
    line = lines.baseline(strokes, contrast)
    return lines.without_crumbs(strokes & ~line) if line.any() else strokes


def drawn(strength: np.ndarray, ink: np.ndarray, strokes: np.ndarray, part: Part) -> np.ndarray:
    """Returns the contrast of a part's strokes, bool `[H, W]` of its box, in the picture: float32 `[H, W]`."""
    alone = np.zeros_like(ink)
    alone[part.box] = strokes
    around = tuple(slice(max(side.start - SOFT, 0), side.stop + SOFT) for side in part.box)
    result = np.zeros_like(strength)
    result[around] = soft(strength[around], alone[around], ink[around])
    return result


def marks(strength: np.ndarray) -> np.ndarray:
    """Returns the pixels of ink, without surroundings in the picture's corners if what may be a digit remains.

    Surroundings, such as the black wedges of a turned scan, differ more from the paper than pale ink does. So the
    threshold is found once more without them.
    """
    ink = strength > threshold(strength)
    labels, _ = ndimage.label(ink, lines.NEIGHBOURS)
    corners = labels[[0, 0, -1, -1], [0, -1, 0, -1]]
    if not corners.any():
        return ink
    beyond = ndimage.binary_dilation(np.isin(labels, corners[corners > 0]), lines.NEIGHBOURS, SOFT)
    rest = np.where(beyond, 0, strength)
    if rest.max() < FAINTEST:
        return ink
    remaining = rest > threshold(strength[~beyond])
    _, parts = connected(remaining, rest)
    return remaining if any(_may_be_digit(part, ink.shape) for part in parts) else ink


def threshold(strength: np.ndarray) -> float:
    """Returns the contrast that separates ink from paper (Otsu, 1979)."""
    counts, edges = np.histogram(strength, 256, (0, float(strength.max())))
    below = np.cumsum(counts).astype(np.float64)
    mass = np.cumsum(counts * (edges[1:] + edges[:-1]) / 2)
    between = (mass[-1] * below - below[-1] * mass) ** 2 / np.maximum(below * (below[-1] - below), 1)
    return float(edges[1:][between.argmax()])


def connected(ink: np.ndarray, strength: np.ndarray) -> tuple[np.ndarray, list[Part]]:
    """Returns the labelled image, and the connected parts that are no dirt, `COMPARED` at most."""
    labels, count = ndimage.label(ink, lines.NEIGHBOURS)
    pixels = np.bincount(labels.ravel(), minlength=count + 1)
    mass = np.bincount(labels.ravel(), strength.ravel(), minlength=count + 1)
    least = DIRT * pixels[1:].max(initial=0)
    parts = [
        Part((number,), rows.start, columns.start, rows.stop, columns.stop, int(pixels[number]), float(mass[number]))
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1)
        if pixels[number] >= least
    ]
    if len(parts) > COMPARED:
        parts = sorted(parts, key=lambda part: part.weight, reverse=True)[:COMPARED]
    return labels, parts


def candidates(parts: list[Part], shape: tuple[int, ...]) -> list[Part]:
    """Returns the parts that are no surroundings: they do not touch the edge, enclose others, or underline them."""

    def without(some: Callable[[Part], bool]) -> list[Part]:
        rest = [part for part in parts if not some(part)]
        return rest if any(_may_be_digit(part, shape) for part in rest) else parts

    parts = without(lambda part: part.touches_edge(shape))
    parts = without(lambda part: part.in_margin(shape) and not _may_be_digit(part, shape))
    parts = without(lambda part: any(part.encloses(other) for other in parts))
    for main in sorted(parts, key=lambda part: part.weight, reverse=True)[:2]:  # the first may be the line itself
        if _may_be_digit(main, shape):
            parts = without(lambda part, main=main: part is not main and part.is_line_beside(main))  # type: ignore[misc]
    return parts


def grouped(parts: Iterable[Part]) -> list[Part]:
    """Joins the parts of each digit; leaves out what is small and far from the largest, or paler."""
    groups: list[Part] = []
    for part in parts:
        alone = []
        for group in groups:
            if part.belongs_to(group):
                part = part.joined(group)  # noqa: PLW2901  # grows while it is compared
            else:
                alone.append(group)
        groups = [*alone, part]
    main, *others = sorted(groups, key=lambda group: group.weight, reverse=True)
    digits = [group for group in others if _alike(group, main)]
    for group in others:
        near = group.longer < main.longer and max(group.gaps(main)) <= FAR * main.longer
        if near and group not in digits and group.mass >= DIRT * main.mass:
            main = main.joined(group)
    return [main, *digits]


def _may_be_digit(part: Part, shape: tuple[int, ...]) -> bool:
    return part.height >= max(ENOUGH * max(shape), LOWEST * part.width)


def _alike(group: Part, main: Part) -> bool:
    """Returns whether the group is as large and as dark as the main digit."""
    contrast = (group.mass / group.pixels) / (main.mass / main.pixels)
    return ALIKE <= group.height / main.height <= 1 / ALIKE and contrast >= ALIKE


def full_contrast(strength: np.ndarray, strokes: np.ndarray) -> float:
    """Returns the contrast inside of the strokes."""
    return max(float(np.quantile(strength[strokes], 0.75)), FAINTEST)


def soft(strength: np.ndarray, strokes: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Returns the contrast of the strokes with their soft edges, without that of the other ink; 1 inside a stroke."""
    if not strokes.any():
        return np.zeros_like(strength)
    full = full_contrast(strength, strokes)
    others = ndimage.binary_dilation(ink & ~strokes)
    near = ndimage.maximum_filter(strokes, 5) & ~others
    return np.asarray(np.where(near | strokes, np.clip(strength / full, 0, 1), 0), dtype=np.float32)

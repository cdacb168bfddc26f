"""Finds straight lines among strokes: the rules of paper, and what a digit stands on."""

import numpy as np
from scipy import ndimage

NEIGHBOURS = np.ones((3, 3))
RULE = 0.7  # length of a rule, at least, as a share of the picture's width or height
SEVERAL = 3  # rules
LINE = 0.13  # width of a line, at most, as a share of its length
BOTTOM = 0.7  # of a digit's height, below which a baseline lies
FOOT = 0.7  # width of the foot of a one, at most, as a share of its height
OVERHANG = 0.06  # of a digit's height, by which a baseline goes farther to both sides
THICKER = 1.25  # thickness of a line where a foot lies on it, at least, as a share of that beside the digit
SHORTEST = 0.12  # length of a foot, at least, as a share of the digit's height
CRUMB = 0.03  # of the ink: what remains at the ends of a line


def rules(ink: np.ndarray) -> np.ndarray:
    """Returns the pixels of lines across the whole picture, without what crosses them.

    Lines that do not reach both edges, as on a sheet in a picture, count if there are several: one may be a stroke.
    """
    down = [line.T for line in straight_lines(ink.T, RULE * ink.shape[0])]
    result = np.zeros_like(ink)
    for lines, axis in ((straight_lines(ink, RULE * ink.shape[1]), 0), (down, 1)):
        for line in lines:
            reached = np.flatnonzero(line.any(axis=axis))
            from_edge_to_edge = reached[0] <= 2 and reached[-1] >= line.shape[1 - axis] - 3
            if len(lines) >= SEVERAL or from_edge_to_edge:
                result |= line
    return result


def baseline(ink: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """Returns the pixels of a line that a digit stands on, which goes farther to both sides, without the digit's foot.

    Args:
        ink: of the digit and the line, bool `[H, W]`, cropped.
        contrast: float32 `[H, W]`, 1 inside a stroke.
    """
    height, width = ink.shape
    result = np.zeros_like(ink)
    if width < FOOT * height:
        return result
    for line in straight_lines(ink, 0.8 * width):
        rows = np.flatnonzero(line.any(axis=1))
        if rows[0] < round(BOTTOM * height):
            continue
        columns = np.flatnonzero(without_crumbs(ink & ~line).any(axis=0))
        if not len(columns) or min(columns[0], width - 1 - columns[-1]) < OVERHANG * height:
            continue
        across = slice(max(rows[0] - 2, 0), rows[-1] + 3)
        thickness = np.minimum(contrast[across], 1).sum(axis=0)
        beside = np.concatenate([thickness[: columns[0]], thickness[columns[-1] + 1 :]])
        foot = _opened(thickness[None] > THICKER * np.median(beside), max(round(SHORTEST * height), 3), axis=1)
        result |= line & ~foot
    return result


def without_crumbs(ink: np.ndarray) -> np.ndarray:
    """Returns the connected parts that are no crumbs."""
    labels, _ = ndimage.label(ink, NEIGHBOURS)
    pixels = np.bincount(labels.ravel())
    pixels[0] = 0
    return np.asarray((pixels >= CRUMB * pixels.sum())[labels] & ink)


def straight_lines(ink: np.ndarray, least: float) -> list[np.ndarray]:
    """Returns the pixels of each nearly horizontal line of at least this length, without what crosses it."""
    if ink.any(axis=0).sum() < least:
        return []
    length = max(round(least / 6), 5)  # of the pieces of a line that are level
    runs = _opened(ndimage.binary_dilation(ink, np.ones((3, 1))), length, axis=1)
    labels, _ = ndimage.label(runs, NEIGHBOURS)
    lines = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        line = ink[rows, columns] & (labels[rows, columns] == number)
        height, width = line.shape
        thickness = round(float(np.median(line.sum(axis=0))))
        if width < least or thickness > LINE * width or height > LINE * width + 2 * thickness:
            continue
        tallest = 2 * thickness + 2  # a taller run of pixels crosses the line
        top = max(rows.start - tallest, 0)
        crossing = _opened(ink[top : rows.stop + tallest, columns], tallest + 1, axis=0)
        lines.append(np.zeros_like(ink))
        lines[-1][rows, columns] = line & ~crossing[rows.start - top :][:height]
    return lines


def _opened(ink: np.ndarray, length: int, axis: int) -> np.ndarray:
    """Returns the runs of pixels of at least this length along an axis."""
    eroded = ndimage.minimum_filter1d(ink.view(np.uint8), length, axis=axis)
    return np.asarray(ndimage.maximum_filter1d(eroded, length, axis=axis), dtype=bool)

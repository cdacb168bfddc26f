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
STRAIGHT = 0.9  # share of a straight line that has ink on it, at least
THICKER = 1.25  # thickness of a line where a foot lies on it, at least, as a share of that beside the digit
SHORTEST = 0.12  # length of a foot, at least, as a share of the digit's height
SIDE = 0.85  # length of a frame's sides, at least, as a share of its box
CORNER = 0.25  # of the box, within which a side of a frame lies
TALL = 0.5  # height of a digit in a frame, at least, as a share of the frame's
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
        if np.flatnonzero(line.any(axis=1))[0] < round(BOTTOM * height):
            continue
        columns = _columns(without_crumbs(ink & ~line))
        if len(columns) and min(columns[0], width - 1 - columns[-1]) >= OVERHANG * height:
            beside = np.r_[: columns[0], columns[-1] + 1 : width]
            if _goes_straight(line, ink, beside):
                result |= line & ~foot(line, contrast, beside, max(round(SHORTEST * height), 3))
    return result


def _goes_straight(line: np.ndarray, ink: np.ndarray, beside: np.ndarray) -> bool:
    """Returns whether there is ink on the straight line through what lies beside a digit; the foot of a two bends."""
    beside = beside[line[:, beside].any(axis=0)]
    if len(beside) < 2:
        return False
    middle = np.arange(len(line)) @ line[:, beside] / line[:, beside].sum(axis=0)
    columns = np.arange(line.shape[1])
    rows = np.rint(np.polyval(np.polyfit(beside, middle, 1), columns)).astype(int).clip(0, len(line) - 1)
    return bool(ink[rows, columns].mean() >= STRAIGHT)


def foot(line: np.ndarray, contrast: np.ndarray, beside: np.ndarray, shortest: int) -> np.ndarray:
    """Returns the columns in which a stroke lies on a line: it is thicker there, bool `[W]`.

    Args:
        line: nearly horizontal, bool `[H, W]`.
        contrast: float32 `[H, W]`, 1 inside a stroke.
        beside: numbers of columns, in some of which there is nothing else.
        shortest: length of a stroke in pixels.
    """
    rows = np.flatnonzero(line.any(axis=1))
    thickness = np.minimum(contrast[max(rows[0] - 2, 0) : rows[-1] + 3], 1).sum(axis=0)
    usual = np.quantile(thickness[beside], 0.25)
    return np.ravel(_opened(thickness[None] > THICKER * usual, shortest, axis=1))


def without_frame(strokes: np.ndarray, contrast: np.ndarray) -> np.ndarray | None:
    """Returns the strokes without the four lines around them, bool `[H, W]`; None if there is no digit in such a frame.

    Where two strokes of the digit end at one line, a third one may be hidden in it, as the left of an eight: None.

    Args:
        strokes: connected, bool `[H, W]`, cropped.
        contrast: float32 `[H, W]`, 1 inside a stroke.
    """
    across, down = _sides(strokes), [side.T for side in _sides(strokes.T)]
    if not across or not down:
        return None
    shortest = [max(round(SHORTEST * length), 3) for length in strokes.shape]
    feet = [side & foot(side, contrast, _columns(side), shortest[1]) for side in across]
    feet += [side & foot(side.T, contrast.T, _columns(side.T), shortest[0])[:, None] for side in down]
    on_foot = np.any(feet, axis=0)
    frame = np.any([*across, *down], axis=0)
    frame |= strokes & np.any(across, axis=(0, 2))[:, None] & np.any(down, axis=(0, 1))  # its corners
    rest = without_crumbs(strokes & (~frame | on_foot))
    is_digit = rest.any(axis=1).sum() >= TALL * len(rest)
    return rest if is_digit and all(_ends(side, rest & ~frame, on_foot) <= 1 for side in [*across, *down]) else None


def _sides(ink: np.ndarray) -> list[np.ndarray]:
    """Returns the uppermost and the lowest horizontal line; none where they are not near the edges of the picture."""
    lines = straight_lines(ink, SIDE * ink.shape[1])
    middles = [float(np.flatnonzero(line.any(axis=1)).mean()) / len(line) for line in lines]
    if not lines or min(middles) > CORNER or max(middles) < 1 - CORNER:
        return []
    return [lines[int(np.argmin(middles))], lines[int(np.argmax(middles))]]


def _columns(ink: np.ndarray) -> np.ndarray:
    """Returns the numbers of the columns with ink."""
    return np.flatnonzero(ink.any(axis=0))


def _ends(side: np.ndarray, strokes: np.ndarray, feet: np.ndarray) -> int:
    """Returns how many strokes end at a side of a frame, besides those that lie on it."""
    near = ndimage.binary_dilation(side, NEIGHBOURS, 2) & strokes & ~ndimage.binary_dilation(feet & side, NEIGHBOURS, 3)
    return int(ndimage.label(ndimage.binary_dilation(near, NEIGHBOURS, 2))[1])


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
    crossing: dict[int, np.ndarray] = {}  # what crosses lines, by its length
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        line = ink[rows, columns] & (labels[rows, columns] == number)
        height, width = line.shape
        thickness = round(float(np.median(line.sum(axis=0))))
        if width < least or thickness > LINE * width or height > LINE * width + 2 * thickness:
            continue
        taller = 2 * thickness + 3  # such a run of pixels crosses the line
        if taller not in crossing:
            crossing[taller] = _opened(ink, taller, axis=0)
        rest = line & ~crossing[taller][rows, columns]
        if rest.any():  # a row of a chessboard crosses itself everywhere
            lines.append(np.zeros_like(ink))
            lines[-1][rows, columns] = rest
    return lines


def _opened(ink: np.ndarray, length: int, axis: int) -> np.ndarray:
    """Returns the runs of pixels of at least this length along an axis."""
    eroded = ndimage.minimum_filter1d(ink.view(np.uint8), length, axis=axis, mode="constant")  # no ink beyond the edge
    return np.asarray(ndimage.maximum_filter1d(eroded, length, axis=axis), dtype=bool)

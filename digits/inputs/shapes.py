"""Random shapes as strokes of a pen that are no digits: lines and arcs, scribbles, polygons, rings, letters.

Each returns its strokes, float `[points, 2]`, x to the right and y down, in a unit of its own.
"""

import numpy as np

Strokes = list[np.ndarray]

# Letters and signs that no digit looks like, in a box from 0 to 1: the corners of each stroke, or with ~ the control
# points of a curve.
LETTERS = {
    "A": "0 1 .5 0 1 1 | .2 .6 .8 .6",
    "C": "~1 .1 .5 -.1 -.1 .1 -.1 .9 .5 1.1 1 .9",
    "E": "1 0 0 0 0 1 1 1 | 0 .5 .8 .5",
    "F": "1 0 0 0 0 1 | 0 .5 .8 .5",
    "H": "0 0 0 1 | 1 0 1 1 | 0 .5 1 .5",
    "K": "0 0 0 1 | 1 0 0 .5 1 1",
    "M": "0 1 0 0 .5 .6 1 0 1 1",
    "N": "0 1 0 0 1 1 1 0",
    "R": "0 1 0 0 | ~0 0 1 0 1 .5 0 .5 | .3 .5 1 1",
    "T": "0 0 1 0 | .5 0 .5 1",
    "U": "~0 0 0 .8 .2 1.1 .8 1.1 1 .8 1 0",
    "V": "0 0 .5 1 1 0",
    "W": "0 0 .25 1 .5 .3 .75 1 1 0",
    "X": "0 0 1 1 | 1 0 0 1",
    "Y": "0 0 .5 .5 1 0 | .5 .5 .5 1",
    "a": "~1 .2 .5 -.2 -.1 .2 -.1 .8 .5 1.2 1 .8 | 1 0 1 1",
    "d": "1 -.6 1 1 | ~1 .3 .5 -.1 0 .2 0 .8 .5 1.1 1 .8",
    "e": "~0 .5 1 .5 1 0 .5 -.1 -.1 .1 -.1 1 .5 1.1 1 .9",
    "f": "~1 0 .5 -.1 .4 .3 .4 1 | 0 .4 .9 .4",
    "h": "0 0 0 1 | ~0 .6 .4 .35 .9 .4 .9 1",
    "k": "0 -.4 0 1 | .8 .2 0 .6 .9 1",
    "m": "0 .2 0 1 | ~0 .4 .2 .2 .45 .2 .5 1 | ~.5 .4 .7 .2 .95 .2 1 1",
    "n": "0 .1 0 1 | ~0 .5 .3 0 .9 0 1 1",
    "r": "0 .1 0 1 | ~0 .5 .3 .1 .7 0",
    "t": ".5 0 .5 1 | 0 .3 1 .3",
    "w": "~0 0 .1 1.2 .5 1.2 .5 .3 | ~.5 .3 .5 1.2 .9 1.2 1 0",
    "x": "~0 0 .5 .4 1 1 | ~1 0 .5 .4 0 1",
    "&": "~1 1 .2 .3 .3 -.1 .7 -.1 .7 .3 0 .6 0 1.1 .6 1.1 1 .5",
    "#": ".3 0 .2 1 | .8 0 .7 1 | 0 .33 1 .3 | 0 .66 1 .63",
    "+": ".5 0 .5 1 | 0 .5 1 .5",
    "=": "0 .3 1 .3 | 0 .7 1 .7",
    "<": "1 0 0 .5 1 1",
    ">": "0 0 1 .5 0 1",
    "^": "0 1 .5 0 1 1",
    "*": ".5 0 .5 1 | 0 .2 1 .8 | 1 .2 0 .8",
    "?": "~0 .2 .1 -.1 .8 -.1 1 .3 .5 .5 .5 .8 | .5 .95 .5 1",
    "%": "0 1 1 0 | ~.1 .1 .4 0 .4 .4 .1 .3 .1 .1 | ~.6 .7 .9 .6 .9 1 .6 .9 .6 .7",
    "@": "~.7 .4 .4 .3 .3 .6 .6 .7 .7 .4 | ~.7 .4 .7 .8 1 .7 1 .1 .5 -.1 0 .2 0 .9 .5 1.1 .9 1",
    "$": "~.9 .2 .5 0 .1 .2 .2 .5 .8 .6 .9 .9 .5 1 .1 .9 | .5 -.1 .5 1.1",
}
UNSTEADY = 0.05  # standard deviation of a letter's points, in its box


def letter(name: str, random: np.random.Generator) -> Strokes:
    """Writes one of `LETTERS` with an unsteady hand: slanted, stretched and a little turned."""
    width, height, slant = random.uniform(0.5, 1), random.uniform(0.6, 1.2), random.uniform(-0.3, 0.3)
    form = rotation(random.uniform(-0.2, 0.2)) @ np.array([[width, 0], [slant, height]])
    strokes = []
    for text in LETTERS[name].split("|"):
        points = np.array(text.replace("~", "").split(), float).reshape(-1, 2)
        points = (points + random.normal(0, UNSTEADY, points.shape)) @ form
        strokes.append(curve(points) if "~" in text else points)
    return strokes


def glyph(random: np.random.Generator) -> Strokes:
    """Draws a few lines and arcs, similar to letters and small drawings."""
    return [_primitive(random) for _ in range(random.integers(3, 7))]


def scribble(random: np.random.Generator) -> Strokes:
    """Draws a random curve or a zigzag."""
    if random.random() < 0.4:
        turns = int(random.integers(6, 14))
        across = np.stack([np.linspace(0, 1, turns), (np.arange(turns) % 2) * random.uniform(0.4, 1)], axis=1)
        return [across @ rotation(random.uniform(0, np.pi)) + random.normal(0, 0.05, (turns, 2))]
    return [curve(random.uniform(0, 1, (random.integers(6, 16), 2)))]


def polygon(random: np.random.Generator) -> Strokes:
    """Draws a polygon of three to five corners."""
    corners = random.uniform(0, 1, (random.integers(3, 6), 2))
    around = np.argsort(np.arctan2(*(corners - corners.mean(axis=0)).T))
    return [corners[[*around, around[0]]]]


def flower(random: np.random.Generator) -> Strokes:
    """Draws a closed curve with notches, like a flower or a cloud."""
    angles = np.linspace(0, 2 * np.pi, 60)
    notches = random.uniform(0.12, 0.3) * np.abs(np.sin(random.integers(4, 9) * angles / 2 + random.uniform(0, np.pi)))
    return [_ring(angles, 1 - notches, random)]


def blob(random: np.random.Generator) -> Strokes:
    """Draws a closed curve with bulges: a radius of one to three waves."""
    angles, radius = np.linspace(0, 2 * np.pi, 60), np.ones(60)
    for number in random.choice(np.arange(3, 9), random.integers(1, 4), replace=False):
        height = random.uniform(0.15, 0.4) / np.sqrt(number - 1)
        radius += height * np.cos(number * angles + random.uniform(0, 2 * np.pi))
    return [_ring(angles, radius, random)]


def marked_ring(random: np.random.Generator) -> Strokes:
    """Draws an ellipse with one to three marks in it, like a face or a clock."""
    marks = [(_primitive(random) - 0.5) * random.uniform(0.5, 1.1) for _ in range(random.integers(1, 4))]
    return [_ring(np.linspace(0, 2 * np.pi, 40), np.ones(40), random), *marks]


def curve(points: np.ndarray) -> np.ndarray:
    """Returns points on the quadratic B-spline through the midpoints of the control polygon's sides."""
    middles = (points[1:] + points[:-1]) / 2
    t = np.linspace(0, 1, 8)[:, None]
    pieces = [
        (1 - t) ** 2 * first + 2 * t * (1 - t) * corner + t**2 * last
        for first, corner, last in zip(middles[:-1], points[1:-1], middles[1:], strict=True)
    ]
    return np.concatenate([points[:1], *pieces, points[-1:]])


def rotation(angle: float) -> np.ndarray:
    """Returns the matrix, `[2, 2]`, that turns points, as rows, by an angle in radians."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _ring(angles: np.ndarray, radius: np.ndarray, random: np.random.Generator) -> np.ndarray:
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius[:, None]
    return np.asarray(around * random.uniform(0.65, 1, 2) @ rotation(random.uniform(0, np.pi)))


def _primitive(random: np.random.Generator) -> np.ndarray:
    start, end = random.uniform(0, 1, (2, 2))
    kind = random.integers(4)
    if kind == 0:  # a line
        return np.stack([start, end])
    if kind == 1:  # a vertical or horizontal line
        return np.stack([start, np.where(random.permutation([True, False]), start, end)])
    if kind == 2:  # a curve
        return curve(np.stack([start, random.uniform(0, 1, 2), end]))
    angles = np.linspace(0, random.uniform(1, 2) * np.pi, 20) + random.uniform(0, 2 * np.pi)
    return np.asarray(start + random.uniform(0.08, 0.4) * np.stack([np.cos(angles), np.sin(angles)], axis=1))

"""Makes the drawings of `drawings/`: every path of an alphabet in many handwritings, stored as strokes.

    python -m tools.drawings     # writes drawings/validation.json and drawings/test.json; the same bytes each time

A handwriting is random: slant, proportions, a smooth warp, a tremor, and displaced starts of strokes; so are canvas,
place, size and pen. The two files share neither alphabet nor handwritings. No person wrote these drawings: they test
shapes and framing, not real handwriting.
"""

from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from digits.core import errors, files
from digits.drawing import strokes
from digits.drawing.strokes import Drawing
from tools.alphabets import NO_DIGITS_TEST, NO_DIGITS_VALIDATION, TEST, VALIDATION, Alphabet

FOLDER = Path("drawings")
PER_DIGIT, PER_OTHER, SCRIBBLES = 28, 4, 36
CANVASES = ((280, 280), (400, 300), (320, 480), (600, 600), (200, 160))
STEP = 0.04  # of the box, between two points of a path


def main() -> None:
    """Writes both files."""
    for name, seed, digits, others in (
        ("validation", 1, VALIDATION, NO_DIGITS_VALIDATION),
        ("test", 2, TEST, NO_DIGITS_TEST),
    ):
        files.write_text(FOLDER / f"{name}.json", strokes.dump(make(digits, others, np.random.default_rng(seed))))


def make(digits: Alphabet, others: dict[str, str], random: np.random.Generator) -> list[Drawing]:
    """Returns digits, cycling through their styles; then other signs; then scribbles."""
    drawings = []
    for digit, styles in digits.items():
        for number in range(PER_DIGIT):
            style = list(styles)[number % len(styles)]
            drawings.append(by_hand(path(styles[style]), int(digit), style, random))
    for style, text in others.items():
        drawings += [by_hand(path(text), None, style, random) for _ in range(PER_OTHER)]
    drawings += [by_hand(scribble(random), None, "scribble", random) for _ in range(SCRIBBLES)]
    return drawings


def path(text: str) -> list[np.ndarray]:
    """Parses the strokes of a path, points `[n, 2]` about `STEP` apart in a box of 1."""
    strokes_of_path = []
    for part in text.split(" / "):
        points = np.array([[float(value) for value in point.split(",")] for point in part.split()]) / 100
        corners = np.flatnonzero((points[1:] == points[:-1]).all(axis=1)) + 1
        strokes_of_path.append(np.concatenate([smooth(piece) for piece in np.split(points, corners)]))
    return strokes_of_path


def smooth(points: np.ndarray) -> np.ndarray:
    """Returns points on a smooth curve through the given ones."""
    along = np.concatenate([[0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1)))])
    length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    return np.asarray(CubicSpline(along, points)(np.linspace(0, along[-1], max(2, int(length / STEP)))))


def scribble(random: np.random.Generator) -> list[np.ndarray]:
    """Returns one to four random strokes: curves or a zigzag."""
    if random.random() < 0.3:
        turns = np.linspace(0, 1, int(random.integers(6, 14)))
        return [
            smooth(
                np.stack([turns, (np.arange(len(turns)) % 2) * random.uniform(0.6, 1)], axis=1)
                + random.normal(0, 0.04, (len(turns), 2))
            )
        ]
    return [smooth(random.uniform(0, 1, (int(random.integers(7, 14)), 2))) for _ in range(random.integers(1, 4))]


def by_hand(lines: list[np.ndarray], label: int | None, style: str, random: np.random.Generator) -> Drawing:
    """Returns a path in a random handwriting, at a random place on a canvas."""
    angle, slant = np.radians(random.normal(0, 5)), random.normal(0.08, 0.14)
    aspect = random.uniform(0.55, 0.95) if label is not None else random.uniform(0.8, 1.1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = turn @ np.array([[aspect, -slant], [0, 1]])
    waves = [(random.normal(0, 2.5, 2), random.uniform(0, 2 * np.pi), random.normal(0, 0.018, 2)) for _ in range(4)]
    written = []
    for line in lines:
        points = line @ shape.T
        points = points + sum(np.sin(points @ wave + phase)[:, None] * size for wave, phase, size in waves)
        points = points + random.normal(0, 0.02, 2)  # the stroke is displaced
        points[0] += random.normal(0, 0.012, 2)
        written.append(points + random.normal(0, 0.003, points.shape))
    all_points = np.concatenate(written)
    low, high = all_points.min(axis=0), all_points.max(axis=0)
    width, height = CANVASES[random.integers(len(CANVASES))]
    size = random.uniform(0.25, 0.9) * min(width / (high - low)[0], height / (high - low)[1])
    extent = (high - low) * size
    pen = float(np.clip(extent.max() * np.exp(random.uniform(np.log(0.02), np.log(0.16))), 1.5, 40))
    room = np.maximum(np.array([width, height]) - extent - pen, 0)
    place = pen / 2 + random.uniform(0, 1, 2) * room
    return Drawing(
        label, style, (width, height), round(pen, 1), tuple((points - low) * size + place for points in written)
    )


if __name__ == "__main__":
    errors.run(main)

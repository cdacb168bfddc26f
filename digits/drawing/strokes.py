"""Drawings as strokes of a pen, rendered when an image is needed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from digits.core.errors import UserError

SAMPLES = 4  # per pixel and direction when rendering, for anti-aliased edges


@dataclass(frozen=True)
class Drawing:
    """A drawing by hand.

    Attributes:
        label: its class; None for a drawing that is no digit.
        style: the name of its shape, such as a way of writing a digit.
        canvas: width and height in pixels.
        pen: the width of the strokes in pixels.
        strokes: float `[points, 2]` each, x to the right and y down, in pixels.
    """

    label: int | None
    style: str
    canvas: tuple[int, int]
    pen: float
    strokes: tuple[np.ndarray, ...]


def render(drawing: Drawing) -> np.ndarray:
    """Renders the drawing in black on white, uint8 `[height, width]`."""
    width, height = drawing.canvas
    image = Image.new("L", (width * SAMPLES, height * SAMPLES), 255)
    draw = ImageDraw.Draw(image)
    radius = max(drawing.pen * SAMPLES / 2, 1)
    for stroke in drawing.strokes:
        points = [(float(x) * SAMPLES, float(y) * SAMPLES) for x, y in stroke]
        draw.line(points, fill=0, width=round(2 * radius))
        for x, y in points:  # a round pen
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return np.asarray(image.reduce(SAMPLES))


def read(path: Path) -> list[Drawing]:
    """Reads the drawings in a JSON file with the text of `dump`.

    Raises:
        UserError: the file is damaged.
    """
    try:
        return [_drawing(entry) for entry in json.loads(path.read_text(encoding="utf-8"))["drawings"]]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UserError(f"{path}: holds no drawings ({error}); restore it with git") from error


def _drawing(entry: dict[str, Any]) -> Drawing:
    strokes = tuple(np.array(stroke, np.float64).reshape(-1, 2) for stroke in entry["strokes"])
    width, height = entry["canvas"]
    return Drawing(entry["label"], entry["style"], (width, height), entry["pen"], strokes)


def dump(drawings: Sequence[Drawing]) -> str:
    """Returns the drawings as JSON, one per line, in whole pixels: `[x, y, x, y, ...]` for each stroke."""
    lines = [
        json.dumps(
            {
                "label": drawing.label,
                "style": drawing.style,
                "canvas": list(drawing.canvas),
                "pen": drawing.pen,
                "strokes": [np.round(stroke).astype(int).ravel().tolist() for stroke in drawing.strokes],
            },
            separators=(",", ":"),
        )
        for drawing in drawings
    ]
    return '{"drawings":[\n' + ",\n".join(lines) + "\n]}\n"

"""The strokes that the page sends as JSON, and the drawing they make."""

from typing import Any

import numpy as np
import orjson

from apps import limits
from digits.core.errors import UserError
from digits.drawing import strokes
from digits.drawing.strokes import Drawing

SIZE = 280  # pixels of the canvas, as in canvas.js
PEN_WIDTHS = (1, 60)


def parse(text: str) -> list[Drawing]:
    """Reads the strokes, grouped by pen width.

    Raises:
        UserError: the text is not what the page sends.
    """
    try:
        lines = [(round(line["width"]), np.array(line["points"], np.float64)) for line in orjson.loads(text)["strokes"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise UserError("the drawing cannot be read; load the page again") from error
    for width, points in lines:
        pairs = points.ndim == 1 and len(points) >= 2 and not len(points) % 2 and np.isfinite(points).all()
        if not pairs or not PEN_WIDTHS[0] <= width <= PEN_WIDTHS[1] or points.min() < 0 or points.max() > SIZE:
            raise UserError("the drawing cannot be read; load the page again")
    if sum(len(points) for _, points in lines) > 2 * limits.POINTS:
        raise UserError("too many strokes; clear the canvas")
    widths = dict.fromkeys(width for width, _ in lines)
    return [
        Drawing(None, "page", (SIZE, SIZE), width, tuple(p.reshape(-1, 2) for w, p in lines if w == width))
        for width in widths
    ]


def render(drawings: list[Drawing]) -> np.ndarray:
    """Draws them on one canvas, black on white, uint8 `[280, 280]`."""
    sheet = np.full((SIZE, SIZE), 255, np.uint8)
    for drawing in drawings:
        sheet = np.minimum(sheet, strokes.render(drawing))
    return sheet


def as_dict(drawings: list[Drawing]) -> dict[str, Any]:
    """The strokes as JSON values that `parse` reads."""
    strokes = [
        {"width": drawing.pen, "points": line.ravel().tolist()} for drawing in drawings for line in drawing.strokes
    ]
    return {"size": SIZE, "strokes": strokes}

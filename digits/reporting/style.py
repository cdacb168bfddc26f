"""The shared style of all figures: colours, display of an image, galleries.

Figures are made without pyplot: no global state, no display. Functions return a `Figure`; none writes a file.
"""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

matplotlib.rcdefaults()  # overrides the user's matplotlibrc
matplotlib.rcParams["axes.titley"] = 1  # where titles are anyhow: no figure has ticks above, and looking takes long

Pictures = dict[str, Figure]  # name of the file -> figure

TRAINING, VALIDATION, TEST = "#4477aa", "#ee6677", "#228833"  # P. Tol's "bright" colour-blind safe scheme


def gallery(images: np.ndarray, captions: Sequence[str], *, title: str, columns: int = 8) -> Figure:
    """Draws images in rows, each under its caption, of at most two lines.

    Args:
        images: uint8 `[N, H, W, C]`; C is 1 or 3.
        captions: N texts.
        title: of the figure.
        columns: images a row.
    """
    columns = max(1, min(columns, len(images)))
    rows = max(1, -(-len(images) // columns))
    figure = Figure(figsize=(max(1.25 * columns, 4), 1.55 * rows + 0.5), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots()
    axes.axis("off")
    width = images.shape[2]
    for (x, y), caption in zip(tile(axes, images, columns, (width // 2, width // 5)), captions, strict=True):
        axes.text(x + width / 2, y - width / 28, caption, fontsize=8, ha="center", va="bottom")
    return figure


def tile(axes: Axes, images: np.ndarray, columns: int, gaps: tuple[int, int]) -> np.ndarray:
    """Draws images in rows as one picture, which takes half of the time of axes for each.

    Args:
        axes: where to draw, in units of a pixel.
        images: uint8 `[N, H, W, C]`; C is 1 or 3. N may be 0.
        columns: images a row.
        gaps: pixels above, and to the left of, each image.

    Returns:
        Left and top edge of each image, in the units of the axes, float64 `[N, 2]`.
    """
    count, height, width, channels = images.shape
    above, beside = gaps
    lines = -(-count // columns)
    white = 0 if channels == 1 else 255  # as `show` draws it
    sheet = np.full((lines * (above + height), columns * (beside + width), channels), white, np.uint8)
    places = np.arange(count)
    left, top = places % columns * (beside + width) + beside, places // columns * (above + height) + above
    for x, y, image in zip(left, top, images, strict=True):
        sheet[y : y + height, x : x + width] = image
    if count:
        show(axes, sheet)
    return np.stack([left, top], axis=1) - 0.5  # a pixel's middle has whole numbers


def show(axes: Axes, image: np.ndarray) -> None:
    """Draws one image, `[H, W, C]`, with inverted grey if it has one channel."""
    if image.shape[-1] == 1:
        axes.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=255)
    else:
        axes.imshow(image)

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
    """Draws images in rows, each under its caption.

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
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, caption in zip(figure.axes, images, captions, strict=False):
        show(axes, image)
        axes.set_title(caption, fontsize=8)
    return figure


def show(axes: Axes, image: np.ndarray) -> None:
    """Draws one image, `[H, W, C]`, with inverted grey if it has one channel."""
    if image.shape[-1] == 1:
        axes.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=255)
    else:
        axes.imshow(image)

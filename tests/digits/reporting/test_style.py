import numpy as np
import pytest
from matplotlib.figure import Figure

from digits.reporting import style

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 1), np.uint8)


def texts(figure):
    axes_texts = [text.get_text() for axes in figure.axes for text in (axes.title, axes.xaxis.label, *axes.texts)]
    return [text for text in axes_texts if text]


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_gallery_shows_each_image_under_its_caption(count, channels):
    captions = [f"number {number}" for number in range(count)]
    images = IMAGES[:count].repeat(channels, axis=-1)
    [axes] = style.gallery(images, captions, title="t", columns=4).axes
    assert texts(axes.figure) == captions
    for image, caption in zip(images, axes.texts, strict=True):
        x, y = caption.get_position()
        np.testing.assert_array_equal(cut(axes, x - 4, y + 8 / 28, 8), image.squeeze())


def cut(axes, left, top, side):
    """What the axes show there."""
    column, row = round(left + 0.5), round(top + 0.5)
    return axes.images[0].get_array()[row : row + side, column : column + side]


@pytest.mark.parametrize(("channels", "white"), [(1, 0), (3, 255)])
def test_between_tiles_it_is_white(channels, white):
    axes = Figure().subplots()
    corners = style.tile(axes, IMAGES.repeat(channels, axis=-1), columns=3, gaps=(2, 1))
    sheet = axes.images[0].get_array()
    assert sheet.shape[:2] == (3 * 10, 3 * 9)
    assert (sheet[:2] == white).all()
    assert (sheet[:, 9] == white).all()
    assert (sheet[22:, 10:] == white).all()  # after the last one
    assert corners[[0, 1, 3]].tolist() == [[0.5, 1.5], [9.5, 1.5], [0.5, 11.5]]

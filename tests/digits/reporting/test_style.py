import numpy as np
import pytest

from digits.reporting import style

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 1), np.uint8)


def texts(figure):
    axes_texts = [text.get_text() for axes in figure.axes for text in (axes.title, axes.xaxis.label, *axes.texts)]
    return [text for text in axes_texts if text]


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_gallery_shows_each_image_with_its_caption(count, channels):
    captions = [f"number {number}" for number in range(count)]
    figure = style.gallery(IMAGES[:count].repeat(channels, axis=-1), captions, title="t", columns=4)
    shown = [axes.get_title() for axes in figure.axes if axes.images]
    assert shown == captions

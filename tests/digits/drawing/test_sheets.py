import numpy as np
import pytest
from PIL import Image, ImageDraw

from digits.drawing import sheets


def picture(*, degrees=0, size=(90, 110), middle=(100, 80), ground=0.2, sheet=0.9, ink=0.1):
    """A sheet with a stroke on it, on its ground."""
    image = Image.new("F", (200, 160), ground)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    draw = ImageDraw.Draw(image)
    for (width, height), level in ((size, sheet), ((8, 60), ink)):
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2)
        draw.polygon([tuple(corner) for corner in corners @ turn.T + middle], fill=level)
    return np.asarray(image, np.float32)


@pytest.mark.parametrize("degrees", [0, 7, -20, 44])
@pytest.mark.parametrize(("ground", "sheet", "ink"), [(0.2, 0.9, 0.1), (0.9, 0.3, 1.0), (0.5, 0.9, 0.5)])
def test_a_sheet_is_found_and_its_surroundings_become_paper(degrees, ground, sheet, ink):
    grey = picture(degrees=degrees, ground=ground, sheet=sheet, ink=ink)
    found = sheets.find(grey)
    assert found is not None
    assert found.sum() == pytest.approx(90 * 110, rel=0.05)
    alone = sheets.alone(grey, found)
    np.testing.assert_allclose([alone[0, 0], alone[-1, -1], alone[5, 100]], sheet, atol=0.01)
    assert alone[80, 100] == pytest.approx(ink, abs=0.01)


@pytest.mark.parametrize("darkness", [0.3, 0.5])
@pytest.mark.parametrize("across", [0, 1])
def test_a_sheet_is_found_under_a_soft_shadow(darkness, across):
    grey = picture(degrees=7, ground=0.2, sheet=0.9)
    light = 1 - darkness * np.clip(np.linspace(-1, 2, grey.shape[across]), 0, 1)
    found = sheets.find(grey * (light if across else light[:, None]).astype(np.float32))
    assert found is not None
    assert found.sum() == pytest.approx(90 * 110, rel=0.1)


def test_a_sheet_with_a_ring_on_it_is_found():
    image = Image.fromarray(picture(ground=0.2, sheet=0.9))
    ImageDraw.Draw(image).ellipse((62, 42, 138, 118), outline=0.1, width=4)
    assert sheets.find(np.asarray(image)).sum() == pytest.approx(90 * 110, rel=0.05)


def test_a_sheet_too_small_for_its_edge_is_drawn_out_too():
    grey = np.zeros((40, 40), np.float32)
    sheet = np.zeros((40, 40), bool)
    grey[10:13, 10:13] = sheet[10:13, 10:13] = True
    assert sheets.alone(grey, sheet).min() == 1


@pytest.mark.parametrize(
    "grey",
    [
        np.full((100, 100), 0.5, np.float32),
        picture(size=(400, 400)),
        picture(size=(20, 20), ink=0.9),
        np.repeat(np.linspace(0, 1, 120, dtype=np.float32)[None], 90, axis=0),
        np.pad(np.ones((100, 50), np.float32), ((0, 0), (0, 50))),
        np.ones((5, 300), np.float32),
        picture(ground=0.9, sheet=0.1, size=(30, 110), ink=0.1),
    ],
    ids=["flat", "the sheet fills all", "a square", "light from a side", "half in shadow", "narrow", "a thick one"],
)
def test_elsewhere_there_is_none(grey):
    assert sheets.find(grey) is None


def test_a_zero_is_no_sheet():
    image = Image.new("F", (200, 200), 1.0)
    ImageDraw.Draw(image).ellipse((50, 30, 150, 170), outline=0.0, width=30)
    assert sheets.find(np.asarray(image, np.float32)) is None


def test_a_sheet_may_be_cut_at_one_side():
    assert sheets.find(picture(middle=(40, 80))) is not None
    assert sheets.find(picture(middle=(40, 50))) is None

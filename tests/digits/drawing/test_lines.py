import numpy as np
import pytest
from PIL import Image, ImageDraw

from digits.drawing import lines


def drawn(*paths, pen=6, size=(160, 200)):
    """Ink along paths of (x, y), as contrast, cropped to it."""
    image = Image.new("L", (4 * size[0], 4 * size[1]))
    for path in paths:
        ImageDraw.Draw(image).line([(4 * x, 4 * y) for x, y in path], fill=255, width=4 * pen, joint="curve")
    contrast = np.asarray(image.reduce(4), np.float32) / 255
    rows, columns = (np.flatnonzero((contrast > 0.5).any(axis=axis)) for axis in (1, 0))
    return contrast[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


SEVEN = [(50, 40), (100, 40), (70, 140)]
TWO = [(50, 60), (75, 40), (100, 60), (52, 140), (104, 140)]
ONE = [(75, 40), (75, 140)]


def without_baseline(*paths, pen=6):
    contrast = drawn(*paths, pen=pen)
    ink = contrast > 0.5
    return ink & ~lines.baseline(ink, contrast)


def test_rules_go_and_what_crosses_them_stays():
    ink = np.zeros((200, 160), bool)
    ink[15::30] = ink[16::30] = True
    rules = ink.copy()
    ink[60:140, 70:78] = True
    found = lines.rules(ink)
    assert not found[:, 70:78][60:140].any(), "where a stroke crosses"
    np.testing.assert_array_equal(found[:, :68], rules[:, :68])
    ink[rules] = False
    assert not lines.rules(ink).any()


@pytest.mark.parametrize("slope", [-3, 0, 3])
@pytest.mark.parametrize("y", [128, 140, 146])
@pytest.mark.parametrize("path", [SEVEN, ONE], ids=["seven", "one"])
def test_a_line_beneath_a_digit_or_through_its_foot_goes(path, y, slope):
    line = [(10, y - slope), (145, y + slope)]
    rest = without_baseline(path, line)
    assert np.ptp(np.flatnonzero(lines.without_crumbs(rest).any(axis=0))) < 70
    assert rest[:75].sum() == (drawn(path, line) > 0.5)[:75].sum(), "the rest is as before"


@pytest.mark.parametrize("y", [137, 142, 144, 146])
def test_the_foot_of_a_two_stays_when_the_line_beneath_it_goes(y):
    contrast = drawn(TWO, [(10, y), (145, y)], pen=6)
    rest = without_baseline(TWO, [(10, y), (145, y)])
    assert not lines.without_crumbs(rest)[:, :30].any(), "the line is gone"
    lowest = rest[96:]
    assert np.ptp(np.flatnonzero(lowest.any(axis=0))) > 45, "the foot is there"
    assert contrast.shape == rest.shape


def test_the_foot_of_a_one_is_no_baseline():
    ink = drawn(ONE, [(55, 140), (95, 140)]) > 0.5
    assert not lines.baseline(ink, ink.astype(np.float32)).any()


def test_the_bent_foot_of_a_two_is_no_baseline():
    bent = [
        (50, 60),
        (75, 40),
        (100, 60),
        (70, 132),
        (45, 142),
        (35, 138),
        (50, 130),
        (80, 142),
        (100, 141),
        (120, 130),
    ]
    ink = drawn(bent, pen=3) > 0.5
    assert not lines.baseline(ink, ink.astype(np.float32)).any()


BOX = [(30, 20), (130, 20), (130, 160), (30, 160), (30, 20)]


@pytest.mark.parametrize(
    ("digit", "sides"),
    [(SEVEN, (30, 20, 103, 160)), (SEVEN, (47, 20, 130, 160)), (SEVEN, (30, 20, 130, 143)), (TWO, (30, 20, 130, 144))],
    ids=["at the right", "at the left", "below", "with its foot"],
)
def test_a_frame_that_touches_its_digit_goes(digit, sides):
    left, top, right, bottom = sides
    box = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    contrast = drawn(digit, box, pen=5)
    rest = lines.without_frame(contrast > 0.5, contrast)
    assert rest is not None
    alone = drawn(digit, pen=5) > 0.5
    rows, columns = (np.flatnonzero(rest.any(axis=axis)) for axis in (1, 0))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == pytest.approx(alone.shape, abs=6)
    assert 0.8 * alone.sum() < rest.sum() < 1.3 * alone.sum()


@pytest.mark.parametrize(
    "paths",
    [
        [BOX],
        [BOX[:3], ONE],
        [BOX, [(80, 20), (80, 50)]],
        [BOX, [(33, 60), (75, 40), (85, 70), (33, 90)]],
        [SEVEN],
        [TWO],
    ],
    ids=["an empty frame", "two sides", "a dash in a frame", "what a side may be a part of", "a seven", "a two"],
)
def test_else_nothing_is_taken_for_a_frame(paths):
    contrast = drawn(*paths)
    assert lines.without_frame(contrast > 0.5, contrast) is None


def test_crumbs_are_small_parts():
    ink = np.zeros((50, 50), bool)
    ink[10:40, 20:24] = ink[45:47, 2] = True
    kept = lines.without_crumbs(ink)
    assert kept.sum() == 30 * 4
    assert not lines.without_crumbs(np.zeros_like(ink)).any()

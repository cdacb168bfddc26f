"""What is around a digit, over it or beside it does not change its frame: each scenario is a property."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from digits.drawing import framing, photograph
from digits.drawing.strokes import Drawing
from digits.evaluation import photographs
from digits.evaluation.photographs import CAMERA, Page
from tests.digits.drawing.test_framing import SHAPES, likeness

properties = settings(deadline=None, max_examples=5, derandomize=True)
shapes, seeds = st.sampled_from(SHAPES), st.integers(0, 999)
PAGE = Page()
PALE = Page(ink=(130, 150, 200), pen=0.03)
TURNS = (0, -9, -5, 5, 9)  # degrees: some sheets lie askew

SCENARIOS = photographs.CHOOSING | {
    "pale shadow": (PAGE, (photographs.shadow(0.2, 0.01), CAMERA)),
    "deep shadow": (PAGE, (photographs.shadow(0.6, 0.05), CAMERA)),
    "light that falls off": (PAGE, (photographs.falling_off(0.7), CAMERA)),
    "small sheet on a desk": (PAGE, (photographs.on_desk(0.4), CAMERA)),
    "white bars": (PAGE, (CAMERA, photographs.barred(0.2, level=255))),
    "frame at one edge": (PAGE, (photographs.around(0.03, None, None, None, 6),)),
    "frame at two edges": (PAGE, (photographs.around(None, 0.03, 0.03, None, 6),)),
    "margin line": (PAGE, (photographs.beside, CAMERA)),
    "far underline": (PAGE, (photographs.beneath(0.25, 0.3),)),
    "window": (PAGE, (photographs.window,)),
    "pale ink beside black corners": (PALE, (photographs.turned_scan, photographs.camera(1, 0.5))),
    "sheet under a soft shadow": (PAGE, (photographs.on_desk(0.6), photographs.shadow(0.45, 0.3), CAMERA)),
    "sheet on a light desk under a soft shadow": (
        PAGE,
        (photographs.on_desk(0.7, (176, 140, 100)), photographs.shadow(0.35, 0.3), CAMERA),
    ),
    "ring on a sheet": (Page(size=0.4), (photographs.ring, photographs.on_desk(0.85), CAMERA)),
    "cut-out under a shadow": (PAGE, (photographs.cut_out, photographs.shadow(0.3, 0.2))),
    "board on a desk": (Page(photographs.GREEN, photographs.CHALK), (photographs.on_desk(0.7), CAMERA)),
    "baseline": (Page(size=0.4), (photographs.beneath(0.02, 0.3), CAMERA)),
    "blackboard": (Page(photographs.GREEN, photographs.CHALK), (photographs.smeared, CAMERA)),
    "holes": (PAGE, (photographs.punched, CAMERA)),
}


def picture(shape, scenario, seed):
    drawing = Drawing(None, "", (100, 100), 5, tuple(100 * line for line in shape))
    return photographs.take(drawing, scenario, np.random.default_rng(seed))


@pytest.mark.parametrize("name", SCENARIOS)
@properties
@given(shape=shapes, seed=seeds)
def test_the_frame_is_that_of_the_digit_alone(name, shape, seed):
    page, _ = SCENARIOS[name]
    alone, in_scenario = (picture(shape, scenario, seed) for scenario in ((page, ()), SCENARIOS[name]))
    (digit,) = framing.find(in_scenario)
    turned = [ndimage.rotate(alone, degrees, reshape=False, mode="nearest", order=1) for degrees in TURNS]
    assert max(likeness(framing.frame(drawing), digit.frame) for drawing in turned) > 0.8


@pytest.mark.parametrize("size", [3, 5, 31, 75])
@pytest.mark.parametrize(
    ("of_two", "filtered"), [(np.maximum, ndimage.maximum_filter), (np.minimum, ndimage.minimum_filter)]
)
def test_extremes_are_those_of_scipy(size, of_two, filtered):
    values = np.random.default_rng(size).random((60, 40)).astype(np.float32)
    np.testing.assert_array_equal(photograph.extreme(values, size, of_two), filtered(values, size, mode="nearest"))


@properties
@given(shape=shapes, seed=seeds, number=st.integers(2, 4))
def test_several_digits_are_found_with_their_boxes(shape, seed, number):
    sheets = [picture(shape, (Page(size=0.3), (CAMERA,)), seed + i)[90:310, 60:240] for i in range(number)]
    digits = framing.find(np.hstack(sheets))
    assert len(digits) == number
    for place, digit in enumerate(framing.in_reading_order(digits)):
        left, top, right, bottom = digit.box
        assert place / number <= left < right <= (place + 1) / number
        assert 0 <= top < bottom <= 1
        assert likeness(framing.frame(sheets[place]), digit.frame) > 0.8


@pytest.mark.parametrize("level", [0, 90, 255])
def test_on_an_empty_sheet_in_its_surroundings_there_is_nothing(level):
    sheet = np.full((300, 240, 3), level, np.uint8)
    sheet[60:220, 50:190] = 200
    assert framing.find(sheet) == []


def test_the_alpha_of_strokes_in_several_colours_is_the_ink():
    page = np.zeros((200, 200, 4), np.uint8)
    page[40:52, 60:102] = (200, 30, 30, 255)
    page[40:160, 90:102] = (30, 30, 200, 255)
    (digit,) = framing.find(page)
    assert digit.box[1] < 0.25
    assert digit.box[3] > 0.75


def test_the_papers_noise_is_no_ink():
    noise = np.random.default_rng(0).normal(0.8, 0.01, (200, 150, 1)).astype(np.float32)
    strength = photograph.strokes(noise)
    assert (strength > 0).mean() < 0.01
    assert strength.max() < 0.05


def test_under_half_the_light_ink_has_the_same_contrast():
    sheet = np.full((200, 200, 1), 0.9, np.float32)
    sheet[60:140, 60:66] = sheet[60:140, 134:140] = 0.1
    sheet[:, 100:] /= 2
    strength = photograph.strokes(sheet)
    assert strength[100, 62] == pytest.approx(strength[100, 137], abs=0.02)
    assert strength[100, 100] == pytest.approx(0, abs=0.02)

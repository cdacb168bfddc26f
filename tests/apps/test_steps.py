import io

import numpy as np
import pytest
from PIL import Image

from apps import steps
from digits.drawing import framing
from digits.evaluation import photographs
from tests.apps.conftest import encoded


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def photo(alphabet, name):
    """A photograph of a three."""
    return photographs.take(alphabet[3, "smooth"], photographs.CHOOSING[name], np.random.default_rng(1))


def test_the_steps_are_those_of_framing(line):
    taken = steps.of(line)
    expected = framing.find(line)
    assert [digit.box for digit in taken.digits] == [digit.box for digit in expected]
    assert all(np.array_equal(digit.frame, other.frame) for digit, other in zip(taken.digits, expected, strict=True))
    assert np.array_equal(opened(taken.ink), steps.ink(line))


@pytest.mark.parametrize("side", [100, 300])  # below and above the size of a photograph
@pytest.mark.parametrize("invert", [False, True], ids=["dark on light", "light on dark"])
def test_ink_is_shown_dark_on_white(three, side, invert):
    drawing = np.asarray(Image.fromarray(three).resize((side, side)))
    ink = steps.ink(255 - drawing if invert else drawing)
    shown = np.asarray(Image.fromarray(drawing).resize(ink.shape[::-1]))
    assert ink[shown < 20].mean() < 40
    assert ink[shown > 250].mean() > 250


def test_the_ink_has_no_shadow(alphabet):
    picture = photo(alphabet, "hard shadow")
    dark = picture.mean(axis=-1) < 160
    [digit] = framing.find(picture)
    left, top, right, bottom = (round(side * length) for side, length in zip(digit.box, (300, 400) * 2, strict=True))
    outside = np.ones(picture.shape[:2], bool)
    outside[top - 8 : bottom + 8, left - 8 : right + 8] = False
    assert (dark & outside).sum() > 5000  # the shadow
    ink = np.asarray(Image.fromarray(steps.ink(picture)).resize((300, 400)))
    assert (ink[outside] < 128).mean() < 0.001
    assert (ink[~outside] < 128).mean() > 0.03


def test_faint_ink_is_shown_dark():
    picture = np.full((200, 200), 230, np.uint8)
    picture[50:150, 95:105] = 150
    assert steps.ink(picture).min() == 0


@pytest.mark.parametrize("shape", [(9, 9), (50, 60), (300, 300), (300, 300, 3), (300, 300, 4)])
def test_blank_paper_has_no_ink(shape):
    taken = steps.of(np.full(shape, 255, np.uint8))
    assert (opened(taken.ink) == 255).all()
    assert taken.digits == []


@pytest.mark.parametrize(("shape", "shown"), [((9, 7), (9, 7)), ((480, 10), (480, 10)), ((1000, 500), (480, 240))])
@pytest.mark.parametrize("channels", [(), (3,), (4,)], ids=["grey", "RGB", "RGBA"])
def test_a_large_picture_is_shown_smaller(shape, channels, shown):
    picture = np.random.default_rng(1).integers(0, 256, shape + channels, np.uint8)
    reduced = steps.reduced(picture)
    assert reduced.shape == shown + channels
    assert reduced.mean() == pytest.approx(picture.mean(), abs=3)
    if shape == shown:
        assert np.array_equal(reduced, picture)
    assert opened(encoded(reduced)).shape == reduced.shape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digits.drawing import framing, rings, strokes
from digits.drawing.strokes import Drawing
from tests.digits.drawing.test_framing import SHAPES, likeness
from tools.alphabets import VALIDATION
from tools.drawings import path

properties = settings(deadline=None, max_examples=25, derandomize=True)


def ring(digit, radius, wobble, turn):
    """A closed curve around a digit, `radius` in half diagonals of its box."""
    points = np.concatenate(digit)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    angles = np.linspace(0, 2.02 * np.pi, 80) + turn
    reach = radius * np.hypot(*np.ptp(points, axis=0)) / 2 * (1 + wobble * np.sin(3 * angles + turn))
    return middle + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def drawn(lines, pen=5.0):
    """Black on white; the lines' unit is 100 pixels."""
    return strokes.render(Drawing(None, "", (240, 240), pen, tuple(100 * line + 70 for line in lines)))


@properties
@given(
    shape=st.sampled_from(SHAPES),
    radius=st.floats(0.85, 1.1),
    wobble=st.floats(0, 0.03),
    turn=st.floats(0, 6),
    pen=st.floats(3, 7),
)
def test_a_ring_that_touches_its_digit_is_left_out(shape, radius, wobble, turn, pen):
    (digit,) = framing.find(drawn([*shape, ring(shape, radius, wobble, turn)], pen))
    assert likeness(framing.frame(drawn(shape, pen)), digit.frame) > 0.7


@pytest.mark.parametrize("digit", VALIDATION)
def test_no_digit_is_taken_for_a_ring_with_a_digit(digit):
    for text in VALIDATION[digit].values():
        ink = 255 - drawn(path(text))
        rows, columns = (np.flatnonzero((ink > 128).any(axis=axis)) for axis in (1, 0))
        assert rings.without_ring(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] > 128) is None


AROUND = np.stack([np.cos(np.linspace(0, 6.3, 60)), np.sin(np.linspace(0, 6.3, 60))], axis=1) / 2 + 0.5
RAYS = [np.stack([0.5 + at * np.array([np.cos(angle), np.sin(angle)]) for at in (0.6, 0.8)]) for angle in range(6)]


@pytest.mark.parametrize(
    "lines",
    [
        [AROUND],
        [AROUND, np.array([[0.5, 0.0], [0.5, 0.3]])],
        [AROUND, *RAYS],
        [AROUND[:45], np.array([[0.5, 0.0], [0.5, 1.0]])],
        [AROUND * (0.6, 1), np.array([[0.3, 0.0], [0.3, 1.0]])],
        [np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]), np.array([[0.5, 0.0], [0.5, 1.0]])],
    ],
    ids=["a ring", "a dash in it", "a sun", "an open ring", "a zero with a stroke in it", "a box"],
)
def test_else_nothing_is_taken_for_one(lines):
    ink = 255 - drawn(lines)
    rows, columns = (np.flatnonzero((ink > 128).any(axis=axis)) for axis in (1, 0))
    assert rings.without_ring(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] > 128) is None


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (20, 20), (300, 200)])
def test_what_is_filled_or_tiny_is_no_ring(shape):
    assert rings.without_ring(np.ones(shape, bool)) is None

import numpy as np
import pytest

from digits.drawing import parts


def canvas(*boxes, shape=(200, 160)):
    """Ink in boxes of top, left, bottom and right."""
    ink = np.zeros(shape, np.float32)
    for top, left, bottom, right in boxes:
        ink[top:bottom, left:right] = 1
    return ink


DIGIT = (60, 70, 140, 78), (60, 78, 68, 110)  # a seven, roughly


def boxes(*ink, **options):
    return [(part.top, part.left, part.bottom, part.right) for _, part in parts.digits(canvas(*ink, **options))]


def around(box, *others):
    return boxes(*DIGIT, box, *others)


FOUND = [(60, 70, 140, 110)]


def test_a_digit_and_its_box():
    assert boxes(*DIGIT) == FOUND


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 200, 10),
        (0, 40, 30, 90),
        (150, 150, 200, 160),
        (150, 60, 156, 125),
        (30, 40, 36, 120),
        (20, 130, 180, 135),
        (10, 10, 14, 14),
    ],
    ids=["edge", "blob at the edge", "corner", "underline", "line above", "line beside", "speck"],
)
def test_what_is_no_digit_is_left_out(box):
    assert around(box) == FOUND


def test_a_frame_is_left_out():
    frame = (20, 20, 24, 140), (180, 20, 184, 140), (20, 20, 184, 24), (20, 136, 184, 140)
    assert boxes(*DIGIT, *frame) == FOUND


@pytest.mark.parametrize("box", [(0, 20, 120, 30), (80, 70, 90, 130)])
def test_the_only_stroke_stays_wherever_it_is(box):
    assert len(boxes(box)) == 1


def test_the_detached_top_of_a_five_belongs_to_it():
    assert around((46, 80, 53, 118)) == [(46, 70, 140, 118)]


def test_another_digit_is_one_and_a_comma_is_not():
    assert len(around((60, 20, 140, 28))) == 2
    assert len(around((130, 50, 145, 56))) == 1


def test_rules_are_left_out():
    rules = [(top, 0, top + 2, 160) for top in range(15, 200, 30)]
    ((ink, part),) = parts.digits(canvas(*DIGIT, *rules))
    assert (part.top, part.bottom) == pytest.approx((60, 140), abs=1)
    assert ink[75:77, 72:76].min() == 1, "where the rule crosses"
    assert ink[75:77, 90:].max() == 0


def test_a_line_beneath_a_digit_is_left_out():
    (ink, _), *_ = parts.digits(canvas((50, 60, 58, 100), (50, 60, 150, 68), (144, 20, 150, 140)))
    assert ink[146, 30] == 0
    assert ink[100, 64] == 1


@pytest.mark.parametrize("pale", [0.08, 0.2, 0.45])
def test_pale_ink_beside_black_corners_is_ink(pale):
    ink = pale * canvas(*DIGIT)
    for number in range(20):  # wedges, as of a turned scan
        ink[number, : 160 - 8 * number] = ink[-1 - number, 8 * number :] = 1
    (found,) = parts.digits(ink)
    assert found[1].top == pytest.approx(60, abs=1)
    assert found[0][100, 74] == pytest.approx(1, abs=0.05)
    assert found[0][:30].max() == 0


@pytest.mark.parametrize("gap", [4, 6, 9, 15])
def test_of_many_parts_the_most_prominent_are_digits(gap):
    ink = canvas(*[(top, left, top + gap - 2, left + 2) for top in range(9, 240, gap) for left in range(9, 240, gap)],
                 shape=(250, 250))  # fmt: skip
    ink[100:160, 120:126] = 1
    found = parts.digits(ink)
    assert len(found) <= parts.MOST
    assert any(part.height >= 60 for _, part in found)


def test_no_more_digits_than_are_kept_and_no_less():
    ink = canvas(
        *[(top, left, top + 30, left + 4) for top in range(9, 220, 45) for left in range(9, 240, 32)], shape=(250, 250)
    )
    assert len(parts.digits(ink)) == parts.MOST


def test_hairlines_that_only_the_smoothed_picture_joins_are_ink():
    ink = canvas(*DIGIT)
    ink[::2] = ink[:, ::2] = 0  # of each four pixels one
    assert len(parts.digits(ink)) == 1


def test_nothing_in_nothing():
    assert parts.digits(np.zeros((150, 150), np.float32)) == []
    assert parts.digits(np.full((150, 150), 0.05, np.float32)) == []


def test_the_threshold_is_between_two_heaps():
    values = np.concatenate([np.full(500, 0.1), np.full(80, 0.9)]).reshape(20, 29).astype(np.float32)
    assert 0.1 < parts.threshold(values) < 0.9

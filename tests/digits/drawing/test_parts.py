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


def test_rules_go_and_what_crosses_them_stays():
    rules = [(top, 0, top + 2, 160) for top in range(15, 200, 30)]
    ink = canvas(*DIGIT, *rules)
    (digit, part), *others = parts.digits(ink)
    assert not others
    assert (part.top, part.bottom) == pytest.approx((60, 140), abs=1)
    assert digit[75:77, 72:76].min() == 1, "where the rule crosses"
    assert digit[75:77, 90:].max() == 0
    assert parts.rules(canvas(*DIGIT).astype(bool)).sum() == 0


def test_a_baseline_goes_and_the_foot_of_a_one_stays():
    one = (50, 76, 150, 84)
    assert boxes(one, (144, 60, 150, 100)) == [(50, 60, 150, 100)]
    (ink, _), *_ = parts.digits(canvas((50, 60, 58, 100), (50, 60, 150, 68), (144, 20, 150, 140)))
    assert ink[146, 30] == 0
    assert ink[100, 64] == 1


def test_nothing_in_nothing():
    assert parts.digits(np.zeros((150, 150), np.float32)) == []
    assert parts.digits(np.full((150, 150), 0.05, np.float32)) == []


def test_the_threshold_is_between_two_heaps():
    values = np.concatenate([np.full(500, 0.1), np.full(80, 0.9)]).reshape(20, 29).astype(np.float32)
    assert 0.1 < parts.threshold(values) < 0.9

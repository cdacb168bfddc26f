import json

import numpy as np
import pytest

from apps import limits
from apps.demo.drawing import SIZE, as_dict, parse, render
from digits.core.errors import UserError

LINE = {"width": 18, "points": [40, 140, 240, 140]}


def text(*strokes):
    return json.dumps({"size": SIZE, "strokes": strokes})


def test_a_line_is_drawn_where_it_was():
    sheet = render(parse(text(LINE)))
    assert sheet.shape == (SIZE, SIZE)
    assert sheet.dtype == np.uint8
    rows, columns = np.nonzero(sheet < 128)
    assert (rows.min(), rows.max()) == pytest.approx((131, 149), abs=1.5)
    assert (columns.min(), columns.max()) == pytest.approx((31, 249), abs=1.5)
    assert sheet[140, 140] == 0


def test_a_click_is_a_dot():
    sheet = render(parse(text({"width": 20, "points": [100, 50]})))
    assert (sheet < 128).sum() == pytest.approx(np.pi * 10**2, rel=0.1)


def test_nothing_drawn_is_a_white_sheet():
    assert parse(text()) == []
    assert (render([]) == 255).all()


def test_each_stroke_has_the_pen_that_it_was_drawn_with():
    thin = {"width": 4, "points": [40, 40, 240, 40]}
    found = parse(text(LINE, thin, LINE))
    assert [(each.pen, len(each.strokes)) for each in found] == [(18, 2), (4, 1)]
    sheet = render(found)
    assert (sheet[:, 140] < 128).sum() == pytest.approx(18 + 4, abs=2)


def test_the_strokes_are_kept_as_they_can_be_read():
    found = parse(text(LINE, {"width": 4, "points": [1.5, 2, 3, 4]}))
    again = parse(json.dumps(as_dict(found)))
    assert np.array_equal(render(again), render(found))
    assert as_dict(again) == as_dict(found)


# What is kept comes from anybody: only strokes of it are.
def test_nothing_else_than_strokes_is_kept():
    sent = {"size": 280, "file": "../../passwords", "strokes": [{**LINE, "label": "7"}], "label": "9"}
    assert as_dict(parse(json.dumps(sent))) == {"size": SIZE, "strokes": [LINE]}


@pytest.mark.parametrize(
    "stroke",
    [
        {"width": 0, "points": [1, 1]},
        {"width": 61, "points": [1, 1]},
        {"width": "18", "points": [1, 1]},
        {"width": None, "points": [1, 1]},
        {"width": 18, "points": []},
        {"width": 18, "points": [1]},
        {"width": 18, "points": [1, 2, 3]},
        {"width": 18, "points": [[1, 2], [3, 4]]},
        {"width": 18, "points": [[1, 2], [3]]},
        {"width": 18, "points": [-1, 2]},
        {"width": 18, "points": [1, SIZE + 1]},
        {"width": 18, "points": ["a", 2]},
        {"width": 18, "points": [None, 2]},
        {"width": 18, "points": 5},
        {"width": 18},
        {"points": [1, 1]},
        None,
        7,
        [],
    ],
)
def test_what_is_no_stroke_is_refused(stroke):
    with pytest.raises(UserError, match="load the page again"):
        parse(text(LINE, stroke))


@pytest.mark.parametrize(
    "sent", ["", "{", "null", "7", "[]", "{}", '{"strokes": null}', '{"strokes": 7}', "[" * 5000, None, 7]
)
def test_what_is_no_drawing_is_refused(sent):
    with pytest.raises(UserError):
        parse(sent)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-1e999"])
def test_a_number_that_is_none_is_refused(number):
    for sent in (text(LINE).replace("240", number), text(LINE).replace("18", number)):
        with pytest.raises(UserError):
            parse(sent)


def test_more_than_a_hand_draws_is_refused(monkeypatch):
    assert limits.POINTS >= 10_000  # ten seconds of a mouse that tells its place a thousand times a second
    monkeypatch.setattr(limits, "POINTS", 3)
    assert parse(text({"width": 18, "points": [1] * 6}))
    with pytest.raises(UserError, match="clear the canvas"):
        parse(text(LINE, LINE))


# Each width is rendered on a sheet of its own, which takes milliseconds.
def test_there_are_only_so_many_widths():
    strokes = [{"width": 1 + number / 100, "points": [1, 1]} for number in range(1000)]
    assert len(parse(text(*strokes))) <= 12

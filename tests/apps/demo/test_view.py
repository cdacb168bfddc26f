import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from apps.demo import view
from apps.steps import Steps
from digits.drawing.framing import Digit
from digits.metrics.decision import Decision
from digits.serving.predictor import NOTHING, SEVERAL, Answer

FRAME = np.zeros((28, 28), np.uint8)
FRAME[4:24, 12:16] = 255


def found(verdict, **probabilities):
    return Answer(verdict, {name[1:]: value for name, value in probabilities.items()}, FRAME)


def test_a_sure_answer_is_said_plainly():
    assert view.verdict_html(found("sure", _1=0.02, _7=0.98)) == "<strong>7</strong>"


def test_an_unsure_answer_names_the_other_one():
    text = view.verdict_html(found("not sure", _1=0.3, _7=0.6, _9=0.1))
    assert "<strong>7</strong>" in text
    assert "or 1" in text
    assert "not sure" in text


def test_no_digit_is_named_where_there_is_none():
    assert not re.search(r"\d", view.verdict_html(found("unknown", _1=0.5, _7=0.5)))


def test_nothing_drawn_has_neither_table_nor_pictures():
    html = view.answer_html(Answer(NOTHING, {}, None), None)
    assert "nothing drawn</p>" in html
    assert f'data-verdict="{NOTHING}" data-best=""' in html
    assert "<table" not in html
    assert "<img" not in html


def test_several_digits_say_what_to_do_without_a_table():
    html = view.answer_html(Answer(SEVERAL, {}, None, ((0, 0, 0.4, 1), (0.6, 0, 1, 1))), None)
    assert "several digits: clear the canvas and draw one</p>" in html
    assert f'data-verdict="{SEVERAL}" data-best=""' in html
    assert "<table" not in html
    assert "<img" not in html


def test_each_class_has_a_row_and_the_best_one_stands_out():
    html = view.answer_html(found("sure", _1=0.02, _7=0.98), FRAME / 255)
    assert 'data-verdict="sure" data-best="7"' in html
    rows = re.findall(r"<tr.*?</tr>", html)
    assert len(rows) == 2
    assert "best" not in rows[0]
    assert 'class="best"' in rows[1]
    assert "width:98.0%" in rows[1]
    assert "98.0%" in rows[1]


def test_the_name_of_a_class_is_no_html():
    name = '"><script>'
    for verdict in ("sure", "not sure"):
        html = view.answer_html(Answer(verdict, {name: 0.9, "<b>": 0.1}, FRAME), FRAME / 255)
        assert "<script>" not in html
        assert "<b>" not in html
        assert 'data-best="&quot;&gt;&lt;script&gt;"' in html


def test_a_screen_reader_is_told():
    html = view.answer_html(found("sure", _1=0.02, _7=0.98), FRAME / 255)
    assert 'aria-live="polite"' in html
    assert html.count("alt=") == html.count("<img") == 2


def test_the_frame_is_shown_as_ink_on_paper():
    html = view.answer_html(found("sure", _1=0.02, _7=0.98), np.zeros((28, 28)))
    sees, looked = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
        for content in re.findall(r"base64,([^\"]+)", html)
    )
    assert np.array_equal(sees, 255 - FRAME)
    assert np.array_equal(looked, np.repeat(255 - FRAME[..., None], 3, axis=-1))  # nowhere, in this case


def test_heat_colours_paper_and_ink():
    looked = np.zeros((28, 28))
    looked[0, 0] = looked[10, 13] = 1
    picture = view.overlay(FRAME, looked)
    for place in [(0, 0), (10, 13)]:
        red, green, blue = picture[place].astype(int)
        assert red > green + 50
        assert green == blue
    assert (picture[27, 27] == 255).all()


TAKEN = Steps(b"picture", b"ink", [])
DECISION = Decision(sure=0.9, known=0.6)
LEFT, RIGHT = Digit(FRAME, (0.1, 0.2, 0.4, 0.9)), Digit(255 - FRAME, (0.6, 0.2, 0.9, 1.0))


def photograph(*found):
    return view.photograph_html(TAKEN, found, DECISION)


def images(html):
    return [base64.b64decode(content) for content in re.findall(r"base64,([^\"]+)", html)]


def test_a_photograph_shows_picture_ink_and_frame_in_this_order():
    html = photograph((LEFT, found("sure", _1=0.02, _7=0.98)))
    assert 'data-verdict="sure" data-best="7"' in html
    picture, ink, frame = images(html)
    assert (picture, ink) == (b"picture", b"ink")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(frame))), 255 - FRAME)
    assert html.count("<tr") == 2
    assert [int(step) for step in re.findall(r">(\d)\. ", html)] == [1, 2, 3, 4]


def test_the_box_lies_where_the_digit_is():
    html = photograph((LEFT, found("sure", _1=0.02, _7=0.98)))
    assert 'style="left:10.00%;top:20.00%;width:30.00%;height:70.00%"></span>' in html


def test_several_digits_are_listed_with_the_numbers_of_their_boxes():
    html = photograph((LEFT, found("sure", _7=0.98, _1=0.02)), (RIGHT, found("not sure", _3=0.7, _5=0.3)))
    assert f'data-verdict="{SEVERAL}" data-best=""' in html
    assert "several digits: <strong>7</strong> <strong>3?</strong></p>" in html
    assert re.findall(r'class="box"[^>]*>(\d)', html) == ["1", "2"]
    assert re.findall("<summary>(.*?)</summary>", html) == ["7 (98.0%)", "not sure: 3 (70.0%) or 5 (30.0%)"]
    assert len(images(html)) == 4
    assert html.count("<table") == 2


def test_of_several_what_is_no_digit_is_a_question_mark():
    html = photograph((LEFT, found("sure", _7=0.98, _1=0.02)), (RIGHT, found("unknown", _3=0.5, _5=0.5)))
    assert "several digits: <strong>7</strong> <strong>?</strong></p>" in html


def test_where_nothing_is_found_the_ink_is_shown():
    html = photograph()
    assert f'data-verdict="{NOTHING}" data-best=""' in html
    assert view.NO_STROKES in html
    assert images(html) == [b"picture", b"ink"]
    assert "box" not in html


@pytest.mark.parametrize(
    ("verdict", "confidence", "reason"),
    [
        ("sure", 0.98, None),
        ("not sure", 0.7, "70.0%, is below that of a sure answer, 90.0%"),
        ("unknown", 0.5, "50.0%, is below that of a digit, 60.0%"),
    ],
)
def test_an_answer_that_is_not_sure_says_why(verdict, confidence, reason):
    html = photograph((LEFT, found(verdict, _7=confidence, _1=1 - confidence)))
    assert ("the highest probability" in html) == (reason is not None)
    assert reason is None or reason in html


def test_a_refusal_is_text():
    html = view.refusal_html("no <b> & nothing")
    assert "no &lt;b&gt; &amp; nothing</p>" in html
    assert 'data-verdict="refused" data-best=""' in html


def test_in_a_photograph_the_name_of_a_class_is_no_html():
    answer = Answer("not sure", {'"><script>': 0.9, "<b>": 0.1}, FRAME)
    for shown in ([(LEFT, answer)], [(LEFT, answer), (RIGHT, answer)]):
        html = photograph(*shown)
        assert "<script>" not in html
        assert "<b>" not in html


def test_every_picture_of_a_photograph_has_a_text():
    html = photograph((LEFT, found("sure", _7=1.0, _1=0.0)), (RIGHT, found("sure", _7=1.0, _1=0.0)))
    assert html.count("alt=") == html.count("<img") == 4

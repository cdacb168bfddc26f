import base64
import io
import re

import numpy as np
from PIL import Image

from apps.demo import view
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

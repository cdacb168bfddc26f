import json

import numpy as np
import pytest

from digits.core.errors import UserError
from digits.drawing import strokes
from digits.drawing.strokes import Drawing

DRAWING = Drawing(7, "sharp", (60, 40), 6.0, (np.array([[10.0, 5.0], [50.0, 5.0], [20.0, 35.0]]),))


def test_it_is_black_on_white_with_grey_edges():
    picture = strokes.render(DRAWING)
    assert picture.shape == (40, 60)
    assert picture.dtype == np.uint8
    assert picture[0, 0] == picture[-1, -1] == 255
    assert picture[5, 30] == 0
    assert len(np.unique(picture)) > 5


@pytest.mark.parametrize("pen", [1.0, 4.0, 10.0])
def test_the_pen_is_as_wide_as_it_says(pen):
    line = Drawing(1, "", (60, 60), pen, (np.array([[30.0, -10.0], [30.0, 70.0]]),))
    assert (255 - strokes.render(line)[30].astype(int)).sum() / 255 == pytest.approx(pen, abs=0.5)


def test_the_pen_is_round():
    dot = Drawing(None, "", (60, 60), 20.0, (np.array([[30.0, 20.0]]),))
    picture = strokes.render(dot)
    area = (255 - picture.astype(int)).sum() / 255
    assert area == pytest.approx(np.pi * 10**2, rel=0.06)
    rows, columns = np.nonzero(picture < 128)
    assert (rows.mean(), columns.mean()) == pytest.approx((20, 30), abs=0.7)


def test_where_a_pen_is_lifted_nothing_is_drawn():
    halves = tuple(np.array([[x, 20.0], [x + 10, 20.0]]) for x in (5.0, 45.0))
    picture = strokes.render(Drawing(None, "", (60, 40), 3.0, halves))
    assert picture[20, 10] == picture[20, 50] == 0
    assert picture[20, 30] == 255


def test_no_strokes_are_white_paper():
    for lines in ((), (np.zeros((0, 2)),)):
        assert strokes.render(Drawing(None, "", (20, 10), 3.0, lines)).min() == 255


def test_they_go_there_and_back_in_whole_pixels(tmp_path):
    other = Drawing(None, "scribble", (30, 90), 2.5, (np.array([[1.4, 2.6]]), np.array([[3.0, 4.0], [5.0, 6.0]])))
    path = tmp_path / "drawings.json"
    path.write_text(strokes.dump([DRAWING, other]))
    first, second = strokes.read(path)
    assert (first.label, first.style, first.canvas, first.pen) == (7, "sharp", (60, 40), 6.0)
    np.testing.assert_array_equal(first.strokes[0], DRAWING.strokes[0])
    assert second.label is None
    assert [stroke.tolist() for stroke in second.strokes] == [[[1, 3]], [[3, 4], [5, 6]]]
    assert strokes.dump([first, second]) == path.read_text()


def test_a_drawing_is_a_line_of_the_file():
    text = strokes.dump([DRAWING, DRAWING])
    assert len(text.splitlines()) == 4
    assert len(json.loads(text)["drawings"]) == 2
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"drawings": 7}',
        '{"drawings": [{}]}',
        '{"drawings": [{"label": 1, "style": "", "canvas": [5], "pen": 1, "strokes": []}]}',
        '{"drawings": [{"label": 1, "style": "", "canvas": [5, 5], "pen": 1, "strokes": [[1, 2, 3]]}]}',
        '{"drawings": [{"label": 1, "style": "", "canvas": [5, 5], "pen": 1, "strokes": [["a", 2]]}]}',
    ],
)
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "drawings.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"drawings\.json: holds no drawings .*restore it with git"):
        strokes.read(path)

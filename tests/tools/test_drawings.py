import hashlib

import numpy as np
import pytest

from digits.drawing import framing, strokes
from tests.conftest import ROOT
from tools import alphabets, drawings

FILES = {
    "validation": (1, alphabets.VALIDATION, alphabets.NO_DIGITS_VALIDATION),
    "test": (2, alphabets.TEST, alphabets.NO_DIGITS_TEST),
}


@pytest.fixture(scope="module", params=list(FILES))
def made(request):
    seed, digits, others = FILES[request.param]
    return request.param, drawings.make(digits, others, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def committed():
    return {name: strokes.read(ROOT / f"drawings/{name}.json") for name in FILES}


def test_the_committed_files_are_what_the_tool_makes(made):
    name, made_drawings = made
    assert strokes.dump(made_drawings) == (ROOT / f"drawings/{name}.json").read_text()


def test_main_writes_both(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawings.main()
    for name in FILES:
        written, committed = ((folder / f"drawings/{name}.json").read_bytes() for folder in (tmp_path, ROOT))
        assert hashlib.sha256(written).digest() == hashlib.sha256(committed).digest()


def test_there_are_enough_of_each(made):
    _, made_drawings = made
    labels = [drawing.label for drawing in made_drawings]
    assert sum(label is not None for label in labels) >= 200
    assert {labels.count(digit) for digit in range(10)} == {drawings.PER_DIGIT}
    assert labels.count(None) >= 50


def test_every_way_of_writing_comes_up(made):
    name, made_drawings = made
    _, digits, others = FILES[name]
    styles = {(drawing.label, drawing.style) for drawing in made_drawings}
    expected = {(int(digit), style) for digit, ways in digits.items() for style in ways}
    assert styles == expected | {(None, style) for style in others} | {(None, "scribble")}


def test_hands_and_canvases_differ(made):
    _, made_drawings = made
    assert {drawing.canvas for drawing in made_drawings} == set(drawings.CANVASES)
    assert len({drawing.pen for drawing in made_drawings}) > 100
    assert len({drawing.strokes[0].tobytes() for drawing in made_drawings}) == len(made_drawings)


def test_the_two_files_share_no_drawing(committed):
    shapes = [
        {tuple(stroke.ravel().tolist()) for drawing in part for stroke in drawing.strokes}
        for part in committed.values()
    ]
    assert not shapes[0] & shapes[1]


def test_all_of_it_is_on_the_canvas(committed):
    for drawing in [drawing for part in committed.values() for drawing in part]:
        points = np.concatenate(drawing.strokes)
        assert (points >= 0).all()
        assert (points <= drawing.canvas).all()


def test_all_of_it_becomes_a_frame(committed):
    for part in committed.values():
        for drawing in part[::7]:
            assert framing.frame(strokes.render(drawing)) is not None


def test_a_point_written_twice_is_a_corner():
    (sharp,) = drawings.path("0,0 100,0 100,0 100,100")
    (smooth,) = drawings.path("0,0 100,0 100,100")
    np.testing.assert_allclose(sharp[[0, -1]], [[0, 0], [1, 1]], atol=1e-9)
    assert sharp[:, 0].max() == pytest.approx(1)
    on_the_sides = (np.abs(sharp[:, 1]) < 1e-9) | (np.abs(sharp[:, 0] - 1) < 1e-9)
    assert on_the_sides.all()
    assert smooth[:, 0].max() > 1.01, "a smooth curve swings out"


def test_a_slash_lifts_the_pen():
    first, second = drawings.path("0,0 100,0 / 0,50 100,50")
    assert first[:, 1].max() == pytest.approx(0)
    assert second[:, 1].min() == pytest.approx(0.5)
    assert np.linalg.norm(np.diff(first, axis=0), axis=1).max() < 2 * drawings.STEP

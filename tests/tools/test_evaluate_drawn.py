import sys
from types import SimpleNamespace

import numpy as np
import pytest

from apps.demo import corrections
from digits.core import paths
from digits.core.errors import UserError
from digits.serving.predictor import SEVERAL, Answer
from tools import evaluate_drawn

SHEETS = [np.full((10, 10), shade, np.uint8) for shade in range(4)]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the tool with a model that says 1, of the third sheet not surely, of the fourth that it shows several."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evaluate_drawn, "chosen", lambda model: (model, None))

    class Says1:
        def __init__(self, *_, **__):
            self.about = SimpleNamespace(classes=["1", "7"])

        def __call__(self, drawing):
            if np.array_equal(drawing, SHEETS[-1]):
                return Answer(SEVERAL, {}, None)
            verdict = "not sure" if np.array_equal(drawing, SHEETS[2]) else "sure"
            return Answer(verdict, {"1": 0.9, "7": 0.1}, None)

    monkeypatch.setattr(evaluate_drawn, "Predictor", Says1)

    def start(*labels, options=()):
        for sheet, label in zip(SHEETS, labels, strict=False):
            corrections.save(tmp_path / paths.DRAWN, sheet, label, {})
        monkeypatch.setattr(sys, "argv", ["evaluate_drawn", *options])
        evaluate_drawn.main()
        return capsys.readouterr().out.splitlines()

    return start


def test_the_accuracy_and_each_mistake_are_told(run):
    mistake, digits = run("1", "7", "1")
    assert "is 7, read as 1 (90.0%)" in mistake
    assert mistake.partition(":")[0].endswith(".png")
    assert "2 of 3 right: 66.67%, 95 % interval 20.77% to 93.85%" in digits


def test_what_is_no_digit_is_right_where_it_gets_no_sure_answer(run):
    digits, others = run("1", None, None)
    assert "1 of 1 right" in digits
    assert "1 of 2 get no sure answer" in others


def test_what_is_labelled_for_another_model_is_left_out(run):
    digits, left_out = run("1", "circle")
    assert "1 of 1 right" in digits
    assert left_out == "left out    1, which are labelled with classes that this model does not have"


def test_without_digits_there_is_no_accuracy(run):
    [others] = run(None, None, None)
    assert "1 of 3" in others


def test_a_digit_that_is_taken_for_several_is_a_mistake(run):
    mistake, digits = run("1", "1", "1", "1")
    assert mistake.endswith("is 1, read as several digits")
    assert "3 of 4 right" in digits


def test_without_drawings_it_is_told_how_to_make_some(run):
    with pytest.raises(UserError, match="make demo"):
        run()


def test_another_folder_can_be_named(run, tmp_path):
    corrections.save(tmp_path / "elsewhere", SHEETS[0], "1", {})
    assert "1 of 1" in run(options=["--folder", str(tmp_path / "elsewhere")])[0]

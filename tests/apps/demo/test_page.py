import json
import re

import gradio as gr
import httpx
import numpy as np
import pytest

from apps import catalogue
from apps.demo import collecting, page
from apps.demo.drawing import SIZE

ONE = json.dumps({"size": SIZE, "strokes": [{"width": 18, "points": [140, 40, 140, 240]}]})


@pytest.fixture
def models(trained):
    return catalogue.catalogue(trained)


@pytest.fixture
def first(models):
    return next(iter(models))


@pytest.fixture
def desk(models, tmp_path):
    return page.Desk(models, tmp_path / "drawn")


def test_a_drawing_is_answered(desk, first):
    html = desk.look(ONE, first)
    assert 'data-verdict="sure" data-best="1"' in html
    assert html.count("<img") == 2
    assert 'data-verdict="nothing drawn"' in desk.look(page.EMPTY, first)


def test_every_model_of_the_catalogue_answers(desk, models):
    assert len(models) >= 3
    for name in models:
        assert 'data-best="1"' in desk.look(ONE, name)
        assert re.search(r"\d+\.\d\d% of its [\d,]+ test images right", desk.describe(name))


def test_a_mistake_is_kept_with_what_was_said(desk, first, tmp_path):
    assert "thank you" in desk.correct(ONE, first, "7")
    [(_, picture, label)] = collecting.read(tmp_path / "drawn")
    assert label == "7"
    assert picture.shape == (SIZE, SIZE)
    entry = json.loads((tmp_path / "drawn" / collecting.LINES).read_text())
    assert entry["answer"] == "1"
    assert entry["verdict"] == "sure"
    assert entry["strokes"] == json.loads(ONE)["strokes"]
    assert len(entry["model"]) == 64


def test_what_is_no_digit_can_be_said(desk, first, tmp_path):
    desk.correct(ONE, first, page.NO_DIGIT)
    assert collecting.read(tmp_path / "drawn")[0][2] is None


def test_without_a_label_or_a_drawing_nothing_is_kept(desk, first, tmp_path):
    assert "First say" in desk.correct(ONE, first, None)
    assert "nothing drawn" in desk.correct(page.EMPTY, first, "7")
    assert not (tmp_path / "drawn").exists()


@pytest.mark.parametrize("name", ["look", "correct"])
def test_what_the_page_never_sends_is_told_in_one_line(desk, first, name, tmp_path):
    with pytest.raises(gr.Error, match="load the page again"):
        getattr(desk, name)('{"strokes": 7}', first, *(["7"] if name == "correct" else []))
    assert not (tmp_path / "drawn").exists()


def test_a_full_disk_is_told(desk, first, monkeypatch):

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(collecting, "save", full)
    with pytest.raises(gr.Error, match="No space left"):
        desk.correct(ONE, first, "7")


# Built by the program: Gradio leaves an event loop open for each page, which would fail the tests here.
def test_nothing_is_offered_to_other_programs(demo):
    config = httpx.get(demo.address + "/config").json()
    assert len(config["dependencies"]) == 4
    assert {each["api_visibility"] for each in config["dependencies"]} == {"private"}


def test_the_time_of_a_call_is_its_median():
    calls = []
    assert page.latency(lambda frames: calls.append(frames) or np.zeros((1, 10))) >= 0
    assert len(calls) == page.TIMED + 1
    assert calls[0].shape == (1, 28, 28)

import asyncio
import base64
import dataclasses
import json
import re
import tempfile
from html import escape

import gradio as gr
import httpx
import numpy as np
import pytest
from starlette.testclient import TestClient

from apps import catalogue, limits
from apps.api import app
from apps.api.workers import Workers
from apps.demo import corrections, page
from apps.demo.drawing import SIZE
from digits.drawing import framing
from digits.evaluation import photographs
from digits.serving import image_file
from tests.apps.conftest import encoded

ONE = json.dumps({"size": SIZE, "strokes": [{"width": 18, "points": [140, 40, 140, 240]}]})
TWO = json.dumps(
    {"size": SIZE, "strokes": [{"width": 18, "points": [at, 60, at, 220]} for at in (70, 210)]},
)


@pytest.fixture
def models(trained):
    return catalogue.catalogue(trained)


@pytest.fixture
def first(models):
    return next(iter(models))


@pytest.fixture
def handlers(models, tmp_path):
    return page.Handlers(models, tmp_path / "drawn", Workers())


def url(content):
    """A file as the page sends it."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


@pytest.fixture
def show(models, first, tmp_path):
    """Hands files over one after the other: what `ask(handlers, url, model)` returns for each."""

    def shown(*files, ask=page.Handlers.read):
        async def start():
            workers = Workers()
            handlers = page.Handlers(models, tmp_path / "drawn", workers)
            async with workers.lifespan(None):
                return [await ask(handlers, url(content), first) for content in files]

        return asyncio.run(start())

    return shown


def keep(label):
    return lambda handlers, sent, name: handlers.correct_photograph(sent, name, label)


def test_a_drawing_is_answered(handlers, first):
    html = handlers.predict(ONE, first)
    assert 'data-verdict="sure" data-best="1"' in html
    assert html.count("<img") == 2
    assert 'data-verdict="nothing drawn"' in handlers.predict(page.EMPTY, first)


def test_several_digits_are_told(handlers, first):
    html = handlers.predict(TWO, first)
    assert 'data-verdict="several digits" data-best=""' in html
    assert "draw one" in html
    assert "<table" not in html


# One that is wrongly taken for several is a mistake to keep.
def test_what_is_taken_for_several_digits_can_be_kept(handlers, first, tmp_path):
    assert "thank you" in handlers.correct(TWO, first, "7")
    entry = json.loads((tmp_path / "drawn" / corrections.INDEX).read_text())
    assert (entry["verdict"], entry["answer"], entry["label"]) == ("several digits", None, "7")


def test_every_model_of_the_catalogue_answers(handlers, models):
    assert len(models) >= 3
    for name in models:
        assert 'data-best="1"' in handlers.predict(ONE, name)
        assert re.search(r"\d+\.\d\d% of its [\d,]+ test images right", handlers.describe(name))


@pytest.mark.parametrize(("dataset", "hint"), [("digits", True), ("mnist", False)])
def test_a_model_of_the_embedded_digits_says_that_mnist_gives_a_better_one(monkeypatch, predictor, dataset, hint):
    monkeypatch.setattr(predictor, "about", dataclasses.replace(predictor.about, dataset=dataset))
    assert ("That of MNIST reads handwriting better: <code>make repro</code>" in page.facts(predictor)) == hint


@pytest.fixture(scope="module")
def photo(alphabet):
    """A photograph of a three in a hard shadow, as a PNG file."""
    scenario = photographs.CHOOSING["hard shadow"]
    return encoded(photographs.take(alphabet[3, "smooth"], scenario, np.random.default_rng(1)))


def test_a_photograph_is_answered_with_its_steps(show, photo):
    [html] = show(photo)
    assert 'data-verdict="sure" data-best="3"' in html
    assert html.count("<img") == 3  # picture, ink, frame
    assert html.count('class="box"') == 1
    assert html.count("<tr") == 10


def test_each_of_several_digits_is_read_in_reading_order(show, line):
    [html] = show(encoded(line))
    assert 'data-verdict="several digits" data-best=""' in html
    assert re.findall(r"<summary>(\d)", html) == ["1", "7", "3"]
    assert re.findall(r'class="box"[^>]*>(\d)', html) == ["1", "2", "3"]


def test_a_blank_photograph_shows_what_was_looked_at(show):
    [html] = show(encoded(np.full((300, 300), 200, np.uint8)))
    assert 'data-verdict="nothing drawn"' in html
    assert html.count("<img") == 2


# One function checks pictures for both: what is refused, and in which words.
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        encoded(np.zeros((50, 50), np.uint8))[:60],
        encoded(np.zeros((1, limits.PIXELS + 1), np.uint8)),
    ],
    ids=["empty", "text", "truncated", "too many pixels"],
)
def test_a_file_is_refused_in_the_words_of_the_service(show, predictor, content):
    [html] = show(content)
    with TestClient(app.create(predictor)) as client:
        response = client.post("/predict", content=content, headers={"Content-Type": "image/png"})
    assert response.status_code == 422
    assert f">{escape(response.json()['detail'])}</p>" in html
    assert "<img" not in html


def test_a_file_that_is_too_large_is_told(show):
    [html] = show(bytes(limits.BODY_BYTES + 1))
    assert ">a file of over 8 MB; at most 8 MB are read</p>" in html


def test_no_photograph_is_no_answer(handlers, first):
    assert asyncio.run(handlers.read(page.NO_PHOTOGRAPH, first)) == ""


def test_a_photograph_leaves_nothing_on_the_disk(show, photo, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    show(photo, b"hello")
    assert not list(tmp_path.rglob("*"))


def test_of_a_misread_photograph_only_the_frame_is_kept(show, photo, tmp_path):
    [said] = show(photo, ask=keep("5"))
    assert "thank you" in said
    [(name, picture, label)] = corrections.read(tmp_path / "drawn")
    assert label == "5"
    [digit] = framing.find(image_file.decode(photo))
    assert np.array_equal(picture, digit.frame)
    [entry] = map(json.loads, (tmp_path / "drawn" / corrections.INDEX).read_text().splitlines())
    assert (entry["answer"], entry["verdict"], entry["source"]) == ("3", "sure", "photograph")
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {name, corrections.INDEX, ".lock"}


def test_without_a_single_digit_no_photograph_is_kept(show, handlers, first, line, tmp_path):
    assert show(encoded(line), encoded(np.zeros((200, 200), np.uint8)), ask=keep("7")) == [page.ONE_DIGIT] * 2
    assert asyncio.run(handlers.correct_photograph(page.NO_PHOTOGRAPH, first, "7")) == page.ONE_DIGIT
    with pytest.raises(gr.Error, match="no readable image"):
        show(b"hello", ask=keep("7"))
    assert not (tmp_path / "drawn").exists()


def test_without_a_label_no_photograph_is_kept(show, photo, tmp_path):
    assert show(photo, ask=keep(None)) == ["First say what it is."]
    with pytest.raises(gr.Error, match="load the page again"):
        show(photo, ask=keep("10"))
    assert not (tmp_path / "drawn").exists()


@pytest.mark.parametrize("sent", [None, 7, [], {}, "x", "data:image/png;base64,?"])
def test_a_photograph_that_the_page_never_sends_is_told_in_one_line(handlers, first, sent):
    for ask in (handlers.read(sent, first), handlers.correct_photograph(sent, first, "7")):
        with pytest.raises(gr.Error, match="the photograph cannot be read; load the page again"):
            asyncio.run(ask)


def test_a_mistake_is_kept_with_what_was_said(handlers, first, tmp_path):
    assert "thank you" in handlers.correct(ONE, first, "7")
    [(_, picture, label)] = corrections.read(tmp_path / "drawn")
    assert label == "7"
    assert picture.shape == (SIZE, SIZE)
    entry = json.loads((tmp_path / "drawn" / corrections.INDEX).read_text())
    assert entry["answer"] == "1"
    assert entry["verdict"] == "sure"
    assert entry["strokes"] == json.loads(ONE)["strokes"]
    assert len(entry["model"]) == 64


def test_what_is_no_digit_can_be_said(handlers, first, tmp_path):
    handlers.correct(ONE, first, page.NONE)
    assert corrections.read(tmp_path / "drawn")[0][2] is None


def test_what_can_be_said_are_the_classes_of_the_model(handlers, first, monkeypatch, tmp_path):
    assert page.labels(handlers.predictor(first)) == [*map(str, range(10)), page.NONE]
    for control in handlers.choices(first):
        assert [choice for choice, _ in control.choices] == page.labels(handlers.predictor(first))
    predictor = handlers.predictor(first)
    other = dataclasses.replace(predictor.about, classes=["circle", "square", *map(str, range(8))])
    monkeypatch.setattr(predictor, "about", other)
    assert page.labels(handlers.predictor(first))[:2] == ["circle", "square"]
    with pytest.raises(gr.Error, match="load the page again"):
        handlers.correct(ONE, first, "9")
    handlers.correct(ONE, first, "square")
    assert corrections.read(tmp_path / "drawn")[0][2] == "square"


def test_without_a_label_or_a_drawing_nothing_is_kept(handlers, first, tmp_path):
    assert "First say" in handlers.correct(ONE, first, None)
    assert "nothing drawn" in handlers.correct(page.EMPTY, first, "7")
    assert not (tmp_path / "drawn").exists()


@pytest.mark.parametrize("name", ["predict", "correct"])
def test_what_the_page_never_sends_is_told_in_one_line(handlers, first, name, tmp_path):
    with pytest.raises(gr.Error, match="load the page again"):
        getattr(handlers, name)('{"strokes": 7}', first, *(["7"] if name == "correct" else []))
    assert not (tmp_path / "drawn").exists()


@pytest.mark.parametrize("sent", [None, 7, [], {}, "", "a model that is not there"])
def test_a_model_that_is_not_there_is_told_in_one_line(handlers, sent):
    for ask in (lambda: handlers.predict(ONE, sent), lambda: handlers.describe(sent)):
        with pytest.raises(gr.Error, match="the request cannot be read; load the page again"):
            ask()
    with pytest.raises(gr.Error, match="load the page again"):
        handlers.correct(ONE, sent, "7")


@pytest.mark.parametrize("label", ["10", "", 7, [], {}])
def test_a_label_that_the_page_does_not_offer_is_not_kept(handlers, first, label, tmp_path):
    with pytest.raises(gr.Error, match="load the page again"):
        handlers.correct(ONE, first, label)
    assert not (tmp_path / "drawn").exists()


def test_what_a_model_says_of_itself_is_no_html(monkeypatch, predictor):
    about = dataclasses.replace(predictor.about, recipe="<script>", dataset="<b>&")
    monkeypatch.setattr(predictor, "about", about)
    text = page.facts(predictor)
    assert "&lt;script&gt;, trained on &lt;b&gt;&amp;:" in text
    assert "<script>" not in text


@pytest.mark.parametrize(
    "data",
    [[], [ONE], [ONE, None], [None, None], [ONE, "no such model"], [7, 7], [{"a": 1}, []], {"a": 1}, None],
    ids=str,
)
@pytest.mark.parametrize("handler", [0, 1], ids=["drawing", "photograph"])
def test_what_the_page_never_sends_leaves_no_traceback(demo, data, handler):
    with httpx.Client(base_url=demo.address) as client:
        joined = client.post(
            "/gradio_api/queue/join", json={"data": data, "fn_index": handler, "session_hash": "tests"}
        )
        if joined.status_code == 200:
            with client.stream("GET", "/gradio_api/queue/data?session_hash=tests") as events:
                told = next(line for line in events.iter_lines() if "process_completed" in line)
            assert '"success":false' in told
            assert "load the page again" in told
        else:
            assert joined.status_code in (400, 422)
    assert "Traceback" not in demo.log.read_text()


def test_json_nested_deep_leaves_no_traceback(demo):
    joined = httpx.post(
        demo.address + "/gradio_api/queue/join", content=b"[" * 100_000, headers={"Content-Type": "application/json"}
    )
    assert 400 <= joined.status_code < 500
    assert "Traceback" not in demo.log.read_text()


def test_a_full_disk_is_told(handlers, first, monkeypatch):

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(corrections, "save", full)
    with pytest.raises(gr.Error, match="No space left"):
        handlers.correct(ONE, first, "7")


# Built by the program: Gradio leaves an event loop open for each page, which would fail the tests here.
def test_nothing_is_offered_to_other_programs(demo):
    config = httpx.get(demo.address + "/config").json()
    assert len(config["dependencies"]) == 8
    assert {each["api_visibility"] for each in config["dependencies"]} == {"private"}


def test_the_time_of_a_call_is_its_median():
    calls = []
    assert page.latency(lambda frames: calls.append(frames) or np.zeros((1, 10))) >= 0
    assert len(calls) == page.TIMED_CALLS + 1
    assert calls[0].shape == (1, 28, 28)

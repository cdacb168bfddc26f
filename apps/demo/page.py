"""The page: a canvas to draw on, with the model's answer while one draws, and a place for photographs."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from apps import limits
from apps.api.request_errors import RequestError
from apps.api.workers import Workers
from apps.demo import corrections, photograph, view
from apps.demo.drawing import SIZE, as_dict, parse, render
from apps.steps import Steps
from digits.core import paths
from digits.core.errors import UserError
from digits.datasets import embedded
from digits.drawing import framing
from digits.drawing.framing import Digit
from digits.serving import saliency
from digits.serving.predictor import NOTHING, Answer, Predictor

HERE = Path(__file__).parent
NONE = "none of these"
NO_PHOTOGRAPH = ""
ONE_DIGIT = "Only a photograph of one digit can be kept."
UNREADABLE = "the request cannot be read; load the page again"
EMPTY = json.dumps({"size": SIZE, "strokes": []})
TIMED_CALLS = 21
# `make run` leaves a model of the embedded digits.
EMBEDDED_HINT = (
    '<p class="facts">A first model, trained on few and small digits. That of MNIST reads handwriting better: '
    "<code>make repro</code></p>"
)

Models = dict[str, tuple[Path, Path]]


def build(models: Models, workers: Workers, folder: Path = paths.DRAWN, *, checked: bool = True) -> gr.Blocks:
    """The page.

    Args:
        models: name -> model file and metadata, as `apps.catalogue.catalogue` returns; the first is shown at the start.
        workers: decode photographs; they must run while the page is served.
        folder: where corrected drawings are saved.
        checked: whether each model must be the file that was measured, see `Predictor`.
    """
    handlers, first = Handlers(models, folder, workers, checked=checked), next(iter(models))
    with Page(title="Digits", analytics_enabled=False) as page:
        gr.Markdown("# Read a digit")
        with gr.Tabs():
            with gr.Tab("Draw"), gr.Row(equal_height=False):
                with gr.Column(min_width=280):
                    sheet = _input(EMPTY, "canvas", elem_id="sheet")
                with gr.Column(min_width=280):
                    answer = gr.HTML(handlers.predict(EMPTY, first), apply_default_css=False, elem_id="answer")
                    choices = labels(handlers.predictor(first))
                    drawn = _correction(choices, "Wrong? Say what it is", "Keep it as a test drawing", "")
            with gr.Tab("Photograph"), gr.Row(equal_height=False):
                with gr.Column(min_width=280):
                    photo = _input(NO_PHOTOGRAPH, "photograph", elem_id="photograph", most=limits.BODY_BYTES)
                with gr.Column(min_width=280):
                    read = gr.HTML("", apply_default_css=False, min_height=80, elem_id="photograph-answer")
                    action = "Keep the 28x28 pixels as a test drawing"
                    framed = _correction(choices, "Misread? Say what it is", action, "photograph-")
        model = gr.Dropdown(list(models), value=first, label="Model", filterable=False, elem_id="model")
        about = gr.HTML(handlers.describe(first), apply_default_css=False, elem_id="facts")
        quiet = {"api_visibility": "private"}
        quick = {"show_progress": "hidden", **quiet}
        sheet.input(handlers.predict, [sheet, model], answer, trigger_mode="always_last", **quick)
        photo.input(handlers.read, [photo, model], read, trigger_mode="always_last", **quiet)
        described = model.change(handlers.describe, model, about, **quick)
        described.then(handlers.predict, [sheet, model], answer, **quick)
        described.then(handlers.read, [photo, model], read, **quiet)
        model.change(handlers.choices, model, [drawn[0], framed[0]], **quick)
        for source, (label, save, saved), correct in (
            (sheet, drawn, handlers.correct),
            (photo, framed, handlers.correct_photograph),
        ):
            save.click(correct, [source, model, label], saved, **quick)
    return page


def _input(value: str, name: str, **options: Any) -> gr.HTML:
    """A control of our own, from `<name>.html` and `<name>.js`."""
    template, script = ((HERE / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("html", "js"))
    return gr.HTML(value, html_template=template, js_on_load=script, apply_default_css=False, **options)


def _correction(choices: list[str], title: str, action: str, prefix: str) -> tuple[gr.Radio, gr.Button, gr.Markdown]:
    """The controls to say what it really was: the label, the button, and what is said then."""
    with gr.Accordion(title, open=False, elem_id=f"{prefix}correction"):
        label = gr.Radio(choices, label="It was really a", elem_id=f"{prefix}label")
        return label, gr.Button(action, elem_id=f"{prefix}save"), gr.Markdown(elem_id=f"{prefix}saved")


class Page(gr.Blocks):
    """Blocks that answer input which the page never sends in one line; Gradio's own print a traceback."""

    async def preprocess_data(self, *arguments: Any, **options: Any) -> Any:
        """Prepares the inputs of an event handler."""
        try:
            return await super().preprocess_data(*arguments, **options)
        except Exception as error:
            raise gr.Error(UNREADABLE, print_exception=False) from error


class Handlers:
    """The event handlers of the page's controls.

    Args:
        models: name -> model file and metadata, as `apps.catalogue.catalogue` returns.
        folder: where corrected drawings are saved.
        workers: decode photographs.
        checked: as in `build`.
    """

    def __init__(self, models: Models, folder: Path, workers: Workers, *, checked: bool = True) -> None:
        self.folder, self._models, self._workers = folder, models, workers
        self._loaded = cache(lambda name: Predictor(*models[name], checked=checked))

    def predictor(self, name: str | None) -> Predictor:
        """The model with a name, loaded once.

        Raises:
            UserError: there is none.
        """
        if name not in list(self._models):  # of a list, as what is sent may not be hashable
            raise UserError(UNREADABLE)
        return self._loaded(name)

    def predict(self, strokes: str, name: str | None) -> str:
        """A model's answer to the strokes that the page sent, as HTML."""
        with as_page_error():
            predictor = self.predictor(name)
            answer = predictor(render(parse(strokes)))
            frame = answer.frame
            heat = None if frame is None else saliency.by_occlusion(predictor.probabilities, frame)
            return view.answer_html(answer, heat)

    def describe(self, name: str | None) -> str:
        """The facts about a model, as HTML."""
        with as_page_error():
            return facts(self.predictor(name))

    def choices(self, name: str | None) -> list[gr.Radio]:
        """Both controls for the label, with those of a model, none of them chosen."""
        with as_page_error():
            return [gr.Radio(labels(self.predictor(name)), value=None) for _ in ("drawing", "photograph")]

    async def read(self, sent: str, name: str | None) -> str:
        """A model's answers to the digits of a photograph, and the steps to them, as HTML."""
        with as_page_error():
            if sent == NO_PHOTOGRAPH:
                return ""
            predictor, content = self.predictor(name), photograph.parse(sent)
            try:
                taken = await self._workers.steps(content)
            except RequestError as error:
                return view.refusal_html(str(error))
            found = await asyncio.to_thread(read_each, predictor, taken)
            return view.photograph_html(taken, found, predictor.about.decision)

    def correct(self, strokes: str, name: str | None, label: str | None) -> str:
        """Saves the drawing with its true class, and returns a line for the user."""
        with as_page_error():
            predictor, drawings = self.predictor(name), parse(strokes)
            sheet = render(drawings)
            return self._correct(predictor, sheet, predictor(sheet), label, as_dict(drawings))

    async def correct_photograph(self, sent: str, name: str | None, label: str | None) -> str:
        """Saves the network's input, nothing else of the photograph, and returns a line for the user."""
        with as_page_error():
            predictor = self.predictor(name)
            if sent == NO_PHOTOGRAPH:
                return ONE_DIGIT
            try:
                taken = await self._workers.steps(photograph.parse(sent))
            except RequestError as error:
                raise UserError(str(error)) from error
            found = await asyncio.to_thread(read_each, predictor, taken)
            if len(found) != 1:
                return ONE_DIGIT
            [(digit, answer)] = found
            details = {"source": "photograph"}
            return await asyncio.to_thread(self._correct, predictor, digit.frame, answer, label, details)

    def _correct(
        self, predictor: Predictor, picture: np.ndarray, answer: Answer, label: str | None, details: dict[str, Any]
    ) -> str:
        if label is None:
            return "First say what it is."
        if label not in labels(predictor):
            raise UserError(UNREADABLE)
        if answer.verdict == NOTHING:
            return "There is nothing drawn to keep."
        details = {"model": predictor.digest, "verdict": answer.verdict, "answer": answer.best, **details}
        path = corrections.save(self.folder, picture, None if label == NONE else label, details)
        return f"Kept as {path.name}, thank you."


def labels(predictor: Predictor) -> list[str]:
    """What a drawing can be said to be: the classes of a model, and none of them."""
    return [*predictor.about.classes, NONE]


def read_each(predictor: Predictor, taken: Steps) -> list[tuple[Digit, Answer]]:
    """The digits of a photograph, in reading order, and the answers to them."""
    digits = framing.in_reading_order(taken.digits)
    return list(zip(digits, predictor.answers([digit.frame for digit in digits]), strict=True))


@contextmanager
def as_page_error() -> Iterator[None]:
    """Turns an error that the user can mend into Gradio's message on the page."""
    try:
        yield
    except (UserError, OSError) as error:
        raise gr.Error(escape(str(error)), print_exception=False) from error


def facts(predictor: Predictor) -> str:
    """Test accuracy of a model and its latency on this machine, as HTML."""
    about, (accuracy, low, high) = predictor.about, predictor.test_accuracy
    milliseconds = 1000 * latency(predictor.probabilities)
    text = (
        f'<p class="facts">{escape(about.recipe)}, trained on {escape(about.dataset)}: {accuracy:.2%} of its '
        f"{about.test['total']:,} test images right (95 % interval {low:.2%} to {high:.2%}), "
        f"{milliseconds:.2g} ms an image here.</p>"
    )
    return text + EMBEDDED_HINT if about.dataset == embedded.NAME else text


def latency(network: Callable[[np.ndarray], np.ndarray]) -> float:
    """The median seconds of a call with one frame."""
    frame = np.zeros((1, framing.SIDE, framing.SIDE), np.uint8)
    network(frame)
    seconds = []
    for _ in range(TIMED_CALLS):
        started = time.perf_counter()
        network(frame)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)

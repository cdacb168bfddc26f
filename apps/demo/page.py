"""The page: a canvas to draw on, and the model's answer while one draws."""

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

from apps.demo import corrections, view
from apps.demo.drawing import SIZE, as_dict, parse, render
from digits.core import paths
from digits.core.errors import UserError
from digits.datasets import embedded
from digits.drawing import framing
from digits.serving import saliency
from digits.serving.predictor import NOTHING, Predictor

HERE = Path(__file__).parent
NO_DIGIT = "no digit"
LABELS = [*map(str, range(10)), NO_DIGIT]
UNREADABLE = "the request cannot be read; load the page again"
EMPTY = json.dumps({"size": SIZE, "strokes": []})
TIMED_CALLS = 21
# `make run` leaves a model of the embedded digits.
EMBEDDED_HINT = (
    '<p class="facts">A first model, trained on few and small digits. That of MNIST reads handwriting better: '
    "<code>make repro</code></p>"
)

Models = dict[str, tuple[Path, Path]]


def build(models: Models, folder: Path = paths.DRAWN, *, checked: bool = True) -> gr.Blocks:
    """The page.

    Args:
        models: name -> model file and metadata, as `apps.catalogue.catalogue` returns; the first is shown at the start.
        folder: where corrected drawings are saved.
        checked: whether each model must be the file that was measured, see `Predictor`.
    """
    handlers, first = Handlers(models, folder, checked=checked), next(iter(models))
    with Page(title="Digits", analytics_enabled=False) as page:
        gr.Markdown("# Draw a digit")
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280):
                sheet = gr.HTML(
                    EMPTY,
                    html_template=(HERE / "canvas.html").read_text(),
                    js_on_load=(HERE / "canvas.js").read_text(),
                    apply_default_css=False,
                    elem_id="sheet",
                )
            with gr.Column(min_width=280):
                answer = gr.HTML(handlers.predict(EMPTY, first), apply_default_css=False, elem_id="answer")
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280):
                model = gr.Dropdown(list(models), value=first, label="Model", filterable=False, elem_id="model")
                about = gr.HTML(handlers.describe(first), apply_default_css=False, elem_id="facts")
            with gr.Column(min_width=280), gr.Accordion("Wrong? Say what it is", open=False, elem_id="correction"):
                label = gr.Radio(LABELS, label="It was really a", elem_id="label")
                save = gr.Button("Keep it as a test drawing", elem_id="save")
                saved = gr.Markdown(elem_id="saved")
        quick = {"show_progress": "hidden", "api_visibility": "private"}
        sheet.input(handlers.predict, [sheet, model], answer, trigger_mode="always_last", **quick)
        model.change(handlers.describe, model, about, **quick).then(handlers.predict, [sheet, model], answer, **quick)
        save.click(handlers.correct, [sheet, model, label], saved, **quick)
    return page


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
        checked: as in `build`.
    """

    def __init__(self, models: Models, folder: Path, *, checked: bool = True) -> None:
        self.folder, self._models = folder, models
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

    def correct(self, strokes: str, name: str | None, label: str | None) -> str:
        """Saves the drawing with its true class, and returns a line for the user."""
        with as_page_error():
            if label is None:
                return "First say what it is."
            if label not in LABELS:
                raise UserError(UNREADABLE)
            predictor, drawings = self.predictor(name), parse(strokes)
            sheet = render(drawings)
            answer = predictor(sheet)
            if answer.verdict == NOTHING:
                return "There is nothing drawn to keep."
            details = {"model": predictor.digest, "verdict": answer.verdict, "answer": answer.best, **as_dict(drawings)}
            path = corrections.save(self.folder, sheet, None if label == NO_DIGIT else label, details)
            return f"Kept as {path.name}, thank you."


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

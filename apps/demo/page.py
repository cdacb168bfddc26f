"""The page: a sheet to draw on, and what the network makes of it while one draws."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import gradio as gr
import numpy as np

from apps.demo import collecting, view
from apps.demo.drawing import SIZE, as_dict, parse, render
from digits.core import paths
from digits.core.errors import UserError
from digits.drawing import framing
from digits.serving import saliency
from digits.serving.predictor import Predictor

HERE = Path(__file__).parent
NO_DIGIT = "no digit"
EMPTY = json.dumps({"size": SIZE, "strokes": []})
TIMED = 21  # calls

Models = dict[str, tuple[Path, Path]]


class Desk:
    """What the controls of the page do.

    Args:
        models: what `apps.catalogue.catalogue` found.
        collected: where corrected drawings are kept.
    """

    def __init__(self, models: Models, collected: Path) -> None:
        self.collected = collected
        self.predictor = cache(lambda name: Predictor(*models[name]))

    def look(self, drawn: str, name: str) -> str:
        """What a model says to the drawing that the page sent."""
        with told():
            chosen = self.predictor(name)
            found = chosen([render(parse(drawn))])[0]
            return view.answer(
                found, None if found.frame is None else saliency.by_occlusion(chosen.probabilities, found.frame)
            )

    def describe(self, name: str) -> str:
        """What is known about a model."""
        with told():
            return facts(self.predictor(name))

    def correct(self, drawn: str, name: str, label: str | None) -> str:
        """Keeps the drawing with what it really is; a line for the person who said it."""
        with told():
            if label is None:
                return "First say what it is."
            chosen, drawings = self.predictor(name), parse(drawn)
            sheet = render(drawings)
            found = chosen([sheet])[0]
            if found.frame is None:
                return "There is nothing drawn to keep."
            said = {"model": chosen.digest, "verdict": found.verdict, "answer": found.best, **as_dict(drawings)}
            path = collecting.save(self.collected, sheet, None if label == NO_DIGIT else label, said)
            return f"Kept as {path.name}, thank you."


def build(models: Models, collected: Path = paths.DRAWN) -> gr.Blocks:
    """The page.

    Args:
        models: what `apps.catalogue.catalogue` found; the first is shown at the start.
        collected: where corrected drawings are kept.
    """
    desk, first = Desk(models, collected), next(iter(models))
    with gr.Blocks(title="Digits", analytics_enabled=False) as page:
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
                answer = gr.HTML(desk.look(EMPTY, first), apply_default_css=False, elem_id="answer")
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280):
                model = gr.Dropdown(list(models), value=first, label="Model", filterable=False, elem_id="model")
                about = gr.HTML(desk.describe(first), apply_default_css=False, elem_id="facts")
            with gr.Column(min_width=280), gr.Accordion("Wrong? Say what it is", open=False, elem_id="correction"):
                label = gr.Radio([*map(str, range(10)), NO_DIGIT], label="It was really a", elem_id="label")
                keep = gr.Button("Keep it as a test drawing", elem_id="keep")
                kept = gr.Markdown(elem_id="kept")
        quick = {"show_progress": "hidden", "api_visibility": "private"}
        sheet.input(desk.look, [sheet, model], answer, trigger_mode="always_last", **quick)
        model.change(desk.describe, model, about, **quick).then(desk.look, [sheet, model], answer, **quick)
        keep.click(desk.correct, [sheet, model, label], kept, **quick)
    return page


@contextmanager
def told() -> Iterator[None]:
    """Shows an error that a person can mend on the page, as Gradio does."""
    try:
        yield
    except (UserError, OSError) as error:
        raise gr.Error(str(error), print_exception=False) from error


def facts(predictor: Predictor) -> str:
    """How good the model is, and how fast here."""
    about, (accuracy, low, high) = predictor.about, predictor.test_accuracy
    milliseconds = 1000 * latency(predictor.probabilities)
    return (
        f'<p class="facts">{about.recipe}, trained on {about.dataset}: {accuracy:.2%} of its {about.test["total"]:,} '
        f"test images right (95 % interval {low:.2%} to {high:.2%}), {milliseconds:.2g} ms an image here.</p>"
    )


def latency(network: Callable[[np.ndarray], np.ndarray]) -> float:
    """The median seconds of a call with one frame."""
    frame = np.zeros((1, framing.SIDE, framing.SIDE), np.uint8)
    network(frame)
    seconds = []
    for _ in range(TIMED):
        started = time.perf_counter()
        network(frame)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)

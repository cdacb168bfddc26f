"""An answer as HTML."""

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from apps.steps import Steps
from digits.core.text import percent
from digits.drawing.framing import Digit
from digits.metrics.decision import Decision
from digits.serving.image_file import encode_png
from digits.serving.predictor import NOTHING, SEVERAL, Answer

HEAT = np.array([220, 40, 40])  # RGB, where the saliency is highest
NO_STROKES = "no strokes that may be a digit stand out from what is around them"


def answer_html(answer: Answer, saliency: np.ndarray | None) -> str:
    """The verdict in words, the probability of each class, the network's input and its saliency map.

    Args:
        answer: the answer.
        saliency: float `[28, 28]`, 0 to 1; None where nothing is drawn, or several digits.
    """
    figures = ""
    if answer.frame is not None and saliency is not None:
        figures = _figure(encode_png(255 - answer.frame), "what the network sees")
        figures += _figure(encode_png(overlay(answer.frame, saliency)), "where it looked")
    words = f"{SEVERAL}: clear the canvas and draw one" if answer.verdict == SEVERAL else verdict_html(answer)
    return _answer(answer.verdict, answer.best, words, _table(answer) + figures)


def photograph_html(taken: Steps, found: Sequence[tuple[Digit, Answer]], decision: Decision) -> str:
    """The verdict in words and why, then the steps: picture, ink, and of each digit the input and the probabilities.

    Args:
        taken: the steps.
        found: the digits and the answers to them, in reading order.
        decision: the thresholds of the verdicts.
    """
    caption = "1. the picture, with a box around each digit" if found else "1. the picture"
    figures = _figure(taken.picture, caption, _boxes(found))
    figures += _figure(taken.ink, "2. the ink, told apart from the paper")
    if not found:
        return _answer(NOTHING, None, NOTHING, f"<p>{NO_STROKES}</p>{_steps(figures)}")
    if len(found) > 1:
        words = f"{SEVERAL}: {' '.join(_in_short(answer) for _, answer in found)}"
        rows = "".join(_list_item(digit, answer) for digit, answer in found)
        answers = f"<p>3. what the network sees, and its answers, in reading order</p><ol>{rows}</ol>"
        return _answer(SEVERAL, None, words, _steps(figures) + answers)
    [(digit, answer)] = found
    figures += _figure(encode_png(255 - digit.frame), "3. what the network sees")
    rest = f"{_reason(answer, decision)}{_steps(figures)}<p>4. the probabilities</p>{_table(answer)}"
    return _answer(answer.verdict, answer.best, verdict_html(answer), rest)


def refusal_html(reason: str) -> str:
    """Why there is no answer to a photograph."""
    return _answer("refused", None, escape(reason), "")


def verdict_html(answer: Answer) -> str:
    """The verdict in words, the most probable class in bold."""
    words = answer.words(lambda name: f"<strong>{escape(name)}</strong>" if name == answer.best else escape(name))
    return f"<strong>?</strong> {words}" if answer.verdict == "unknown" else words


def overlay(frame: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """The frame, dark on white, with the saliency in red over it: uint8 `[28, 28, 3]`."""
    paper = np.repeat(255.0 - frame[..., None], 3, axis=-1)
    amount = 0.65 * saliency[..., None]
    return np.round(paper * (1 - amount) + HEAT * amount).astype(np.uint8)


def _answer(verdict: str, best: str | None, words: str, rest: str) -> str:
    return (
        f'<div class="answer" data-verdict="{verdict}" data-best="{escape(best or "")}">'
        f'<p class="verdict" role="status" aria-live="polite">{words}</p>{rest}</div>'
    )


def _reason(answer: Answer, decision: Decision) -> str:
    """Why the answer is not a sure one; empty if it is."""
    if answer.verdict == "sure":
        return ""
    least, what = (decision.sure, "a sure answer") if answer.verdict == "not sure" else (decision.known, "a digit")
    return f"<p>the highest probability, {percent(answer.confidence)}, is below that of {what}, {percent(least)}</p>"


def _in_short(answer: Answer) -> str:
    """The digit, with a question mark if the answer is not sure; the question mark alone if it is unknown."""
    digit = "" if answer.verdict == "unknown" else escape(answer.best or "")
    return f"<strong>{digit}{'' if answer.verdict == 'sure' else '?'}</strong>"


def _list_item(digit: Digit, answer: Answer) -> str:
    frame = _image(encode_png(255 - digit.frame), "what the network sees")
    return f"<li>{frame}<details><summary>{escape(str(answer))}</summary>{_table(answer)}</details></li>"


def _table(answer: Answer) -> str:
    rows = "".join(_row(name, value, name == answer.best) for name, value in answer.probabilities.items())
    return f'<table aria-label="probability of each class">{rows}</table>' if rows else ""


def _row(name: str, probability: float, best: bool) -> str:
    bar = f'<div class="bar" style="width:{100 * probability:.1f}%"></div>'
    kind = ' class="best"' if best else ""
    return f"<tr{kind}><td>{escape(name)}</td><td>{bar}</td><td>{percent(probability)}</td></tr>"


def _steps(figures: str) -> str:
    return f'<div class="steps">{figures}</div>'


def _boxes(found: Sequence[tuple[Digit, Answer]]) -> str:
    """The boxes of digits, to lie over the picture; numbered if there are several."""
    return "".join(
        f'<span class="box" style="left:{left:.2%};top:{top:.2%};width:{right - left:.2%};height:{bottom - top:.2%}">'
        f"{number if len(found) > 1 else ''}</span>"
        for number, (left, top, right, bottom) in enumerate((digit.box for digit, _ in found), start=1)
    )


def _figure(png: bytes, caption: str, over: str = "") -> str:
    return f"<figure><div>{_image(png, caption)}{over}</div><figcaption>{caption}</figcaption></figure>"


def _image(png: bytes, text: str) -> str:
    return f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="{text}">'

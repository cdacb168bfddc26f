"""An answer as HTML."""

import base64
from html import escape

import numpy as np

from digits.core.text import percent
from digits.serving.image_file import encode_png
from digits.serving.predictor import SEVERAL, Answer

HEAT = np.array([220, 40, 40])  # RGB, where the saliency is highest


def answer_html(answer: Answer, saliency: np.ndarray | None) -> str:
    """The verdict in words, the probability of each class, the network's input and its saliency map.

    Args:
        answer: the answer.
        saliency: float `[28, 28]`, 0 to 1; None where nothing is drawn, or several digits.
    """
    rows = "".join(_row(name, value, name == answer.best) for name, value in answer.probabilities.items())
    table = f'<table aria-label="probability of each digit">{rows}</table>' if rows else ""
    figures = ""
    if answer.frame is not None and saliency is not None:
        figures = _figure(255 - answer.frame, "what the network sees")
        figures += _figure(overlay(answer.frame, saliency), "where it looked")
    return (
        f'<div class="answer" data-verdict="{answer.verdict}" data-best="{escape(answer.best or "")}">'
        f'<p class="verdict" role="status" aria-live="polite">{verdict_html(answer)}</p>{table}{figures}</div>'
    )


def verdict_html(answer: Answer) -> str:
    """The verdict in words, the most probable class in bold."""
    if answer.verdict == SEVERAL:
        return f"{SEVERAL}: clear the canvas and draw one"
    words = answer.words(lambda name: f"<strong>{escape(name)}</strong>" if name == answer.best else escape(name))
    return f"<strong>?</strong> {words}" if answer.verdict == "unknown" else words


def overlay(frame: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """The frame, dark on white, with the saliency in red over it: uint8 `[28, 28, 3]`."""
    paper = np.repeat(255.0 - frame[..., None], 3, axis=-1)
    amount = 0.65 * saliency[..., None]
    return np.round(paper * (1 - amount) + HEAT * amount).astype(np.uint8)


def _row(name: str, probability: float, best: bool) -> str:
    bar = f'<div class="bar" style="width:{100 * probability:.1f}%"></div>'
    kind = ' class="best"' if best else ""
    return f"<tr{kind}><td>{escape(name)}</td><td>{bar}</td><td>{percent(probability)}</td></tr>"


def _figure(pixels: np.ndarray, caption: str) -> str:
    source = f"data:image/png;base64,{base64.b64encode(encode_png(pixels)).decode()}"
    return f'<figure><img src="{source}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'

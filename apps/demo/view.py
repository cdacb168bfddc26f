"""An answer as HTML."""

import base64
import io

import numpy as np
from PIL import Image

from digits.serving.predictor import NOTHING, Answer

HEAT = np.array([220, 40, 40])  # the colour of where the network looked


def answer(found: Answer, looked: np.ndarray | None) -> str:
    """What is said, the probability of each class, what the network saw and where it looked.

    Args:
        found: the answer.
        looked: float `[28, 28]`, 0 to 1; None where nothing is drawn.
    """
    rows = "".join(_row(name, value, name == found.best) for name, value in found.probabilities.items())
    table = f'<table aria-label="probability of each digit">{rows}</table>' if rows else ""
    pictures = ""
    if found.frame is not None and looked is not None:
        pictures = _figure(255 - found.frame, "what the network sees") + _figure(
            heated(found.frame, looked), "where it looked"
        )
    return (
        f'<div class="answer" data-verdict="{found.verdict}" data-best="{found.best or ""}">'
        f'<p class="said" role="status" aria-live="polite">{said(found)}</p>{table}{pictures}</div>'
    )


def said(found: Answer) -> str:
    """The answer in words."""
    if found.verdict == NOTHING:
        return "Nothing drawn yet"
    first, second = found.ranked[:2]
    if found.verdict == "unknown":
        return "<strong>?</strong> not a digit, as far as I know"
    if found.verdict == "not sure":
        return f"<strong>{first}</strong> perhaps, or {second}: not sure"
    return f"<strong>{first}</strong>"


def percent(probability: float) -> str:
    """A probability for a person; rounding never makes it certain."""
    return ">99.9 %" if probability > 0.999 else f"{probability:.1%}".replace("%", " %")


def _row(name: str, probability: float, best: bool) -> str:
    bar = f'<div class="bar" style="width:{100 * probability:.1f}%"></div>'
    kind = ' class="best"' if best else ""
    return f"<tr{kind}><td>{name}</td><td>{bar}</td><td>{percent(probability)}</td></tr>"


def heated(frame: np.ndarray, looked: np.ndarray) -> np.ndarray:
    """The frame, dark on white, with the heat over it: uint8 `[28, 28, 3]`."""
    paper = np.repeat(255.0 - frame[..., None], 3, axis=-1)
    amount = 0.65 * looked[..., None]
    return np.round(paper * (1 - amount) + HEAT * amount).astype(np.uint8)


def _figure(pixels: np.ndarray, caption: str) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return f'<figure><img src="{source}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'

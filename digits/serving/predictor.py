"""Answers to drawings from a trained model: class, probabilities, and how sure it is.

Page, API and command line use this module only. With a `.tflite` or `.onnx` file it needs no TensorFlow.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np

from digits.core import files
from digits.core.errors import UserError, one_line
from digits.core.text import percent
from digits.drawing import framing
from digits.drawing.framing import Digit
from digits.export import backends, inventory
from digits.metrics import intervals
from digits.models import metadata

NOTHING, SEVERAL = "nothing drawn", "several digits"

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Answer:
    """The answer to one drawing.

    Attributes:
        verdict: `sure`, `not sure`, `unknown` (probably none of the classes), `nothing drawn`, or `several digits`.
        probabilities: class -> probability, in the order of the classes; empty if there is nothing or several digits.
        frame: the network's input, uint8 `[28, 28]`; None if there is nothing or several digits.
        boxes: of the digits: left, top, right and bottom, as shares of the picture's width and height.
    """

    verdict: str
    probabilities: dict[str, float]
    frame: np.ndarray | None
    boxes: tuple[Box, ...] = ()

    @property
    def ranked(self) -> list[str]:
        """The classes, the most probable first."""
        return sorted(self.probabilities, key=self.probabilities.__getitem__, reverse=True)

    @property
    def best(self) -> str | None:
        """The most probable class."""
        return next(iter(self.ranked), None)

    @property
    def confidence(self) -> float:
        """The probability of `best`."""
        return max(self.probabilities.values(), default=0.0)

    def as_dict(self) -> dict[str, object]:
        """Returns verdict, digit, probabilities and boxes, for JSON."""
        return {
            "verdict": self.verdict,
            "digit": self.best if self.verdict in ("sure", "not sure") else None,
            "probabilities": {name: round(value, 6) for name, value in self.probabilities.items()},
            "boxes": [[round(side, 4) for side in box] for box in self.boxes],
        }

    def words(self, show: Callable[[str], str] = str) -> str:
        """The verdict in words.

        Args:
            show: how a class is written.
        """
        if self.verdict in (NOTHING, SEVERAL):
            return self.verdict
        if self.verdict == "unknown":
            return (
                f"not {'a digit' if ''.join(self.probabilities).isdigit() else 'one of the classes'}, as far as I know"
            )
        first, second = map(show, self.ranked[:2])
        return f"not sure: {first} or {second}" if self.verdict == "not sure" else first

    def __str__(self) -> str:
        text = self.words(self._with_probability)
        return f"{text}; most like {self._with_probability(self.ranked[0])}" if self.verdict == "unknown" else text

    def _with_probability(self, name: str) -> str:
        return f"{name} ({percent(self.probabilities[name])})"


def frames_to_read(pictures: Sequence[Sequence[Digit]]) -> list[np.ndarray]:
    """Returns the frames of the pictures that show one digit."""
    return [digits[0].frame for digits in pictures if len(digits) == 1]


def answers(pictures: Sequence[Sequence[Digit]], read: Iterable[Answer]) -> list[Answer]:
    """Returns an answer for each picture.

    Args:
        pictures: the digits of each, as `digits.drawing.framing.find` returns them.
        read: the answers to `frames_to_read(pictures)`.
    """
    following = iter(read)
    return [
        replace(next(following), boxes=(digits[0].box,))
        if len(digits) == 1
        else Answer(SEVERAL if digits else NOTHING, {}, None, tuple(digit.box for digit in digits))
        for digits in pictures
    ]


class Predictor:
    """A model file and its metadata; thread-safe.

    Args:
        path: the model; see `digits.export.backends.load`.
        metadata_file: its `about.json`.
        threads: for one call.
        checked: whether both must be the files that the inventory beside the model lists; see `inventory.check`.

    Raises:
        UserError: a file is damaged or not that of the inventory, or the model is not one for 28x28 grey images and
            the classes of the metadata.
        FileNotFoundError: a file is missing.
    """

    def __init__(self, path: Path, metadata_file: Path, threads: int = 2, *, checked: bool = True) -> None:
        self.about = metadata.read(metadata_file)
        if checked:
            inventory.check(path, metadata_file)
        if self.about.image_shape != (framing.SIDE, framing.SIDE, 1):
            shape = "x".join(map(str, self.about.image_shape))
            raise UserError(f"{path}: a model for images of {shape}; drawings become {framing.SIDE}x{framing.SIDE}x1")
        self.path = path
        self.digest = files.sha256(path)
        self._network = backends.load(path, threads)
        self._lock = Lock()  # a LiteRT interpreter holds its input, so it serves one call at a time
        self._try()

    def _try(self) -> None:
        """Asks the network about a black frame: what does not fit the metadata shows now, not at the first drawing."""
        frame = np.zeros((1, framing.SIDE, framing.SIDE), np.uint8)
        try:
            shape = self.probabilities(frame).shape
        except Exception as error:  # each runtime has its own exceptions
            raise UserError(f"{self.path}: takes no images of 28x28x1 ({one_line(error)})") from error
        if shape != (1, len(self.about.classes)):
            raise UserError(
                f"{self.path}: answers an array of shape {shape} for an image; its metadata name "
                f"{len(self.about.classes)} classes: the two files do not belong together"
            )

    @property
    def test_accuracy(self) -> tuple[float, float, float]:
        """Accuracy of this file on the test split, and its 95 % interval.

        The inventory beside the file has the accuracy of each format; without it, that of the Keras model is taken.
        """
        measured, total = inventory.accuracy(self.path), int(self.about.test["total"])
        accuracy = self.about.test["accuracy"] if measured is None else measured
        return accuracy, *intervals.wilson_interval(round(accuracy * total), total)

    def probabilities(self, frames: np.ndarray) -> np.ndarray:
        """Returns the network's probabilities for frames, uint8 `[N, 28, 28]`: float32 `[N, classes]`."""
        with self._lock:
            return self._network(frames[..., None])

    def __call__(self, drawing: np.ndarray) -> Answer:
        """Returns the answer to a drawing, an array that `digits.drawing.framing.find` takes."""
        pictures = [framing.find(drawing)]
        return answers(pictures, self.answers(frames_to_read(pictures)))[0]

    def each(self, drawing: np.ndarray) -> list[Answer]:
        """Returns the answer to each digit of a drawing, in reading order."""
        pictures = [[digit] for digit in framing.in_reading_order(framing.find(drawing))]
        return answers(pictures, self.answers(frames_to_read(pictures)))

    def answers(self, frames: Sequence[np.ndarray]) -> list[Answer]:
        """Returns an answer for each frame, uint8 `[28, 28]`."""
        rows = self.probabilities(np.stack(frames)) if frames else ()
        return [self._answer(row, frame) for row, frame in zip(rows, frames, strict=True)]

    def _answer(self, probabilities: np.ndarray, frame: np.ndarray) -> Answer:
        named = dict(zip(self.about.classes, map(float, probabilities), strict=True))
        return Answer(self.about.decision(float(probabilities.max())), named, frame)

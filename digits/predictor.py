"""A trained model as people meet it: a drawing in, an answer that says how sure it is out.

Page, API and command line use nothing else. With a `.tflite` or `.onnx` file it does without TensorFlow.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from digits import about, artifacts, ink, paths, runtimes, scoring
from digits.errors import UserError

NOTHING = "nothing drawn"
PATCH, STEP = 7, 2  # pixels of the black square that is moved over a frame, and by how much


@dataclass(frozen=True)
class Answer:
    """What is said about one drawing.

    Attributes:
        verdict: `sure`, `not sure`, `unknown` (probably none of the classes), or `nothing drawn`.
        probabilities: class -> probability, in the order of the classes; empty where nothing is drawn.
        frame: what the network saw, uint8 `[28, 28]`; None where nothing is drawn.
    """

    verdict: str
    probabilities: dict[str, float]
    frame: np.ndarray | None

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

    def __str__(self) -> str:
        if self.verdict == NOTHING:
            return "nothing drawn"
        first, second = self.ranked[:2]
        if self.verdict == "unknown":
            return f"not a digit, as far as I know (if it is one: {first}, {self.probabilities[first]:.0%})"
        if self.verdict == "not sure":
            return f"not sure: {first} ({self.probabilities[first]:.0%}) or {second} ({self.probabilities[second]:.0%})"
        return f"{first} ({min(self.probabilities[first], 0.999):.1%})"


class Predictor:
    """A model file and what is known about it; may be called from several threads.

    Args:
        path: the model; see `digits.runtimes.load`.
        described: the `about.json` that belongs to it.
        threads: of one call.

    Raises:
        UserError: a file is damaged, or the model is not one for 28x28 grey images.
        FileNotFoundError: a file is missing.
    """

    def __init__(self, path: Path, described: Path, threads: int = 2) -> None:
        self.about = about.read(described)
        if self.about.image_shape != (ink.SIDE, ink.SIDE, 1):
            shape = "x".join(map(str, self.about.image_shape))
            raise UserError(f"{path}: a model for images of {shape}; drawings become {ink.SIDE}x{ink.SIDE}x1")
        self.path = path
        self.digest = digest(path)
        self._network = runtimes.load(path, threads)
        self._lock = Lock()  # a LiteRT interpreter keeps its input

    @property
    def test_accuracy(self) -> tuple[float, float, float]:
        """Of this very file on the test split, with its 95 % interval; `metrics/export.json` knows that of exports."""
        measured = self.path.parent.parent / paths.EXPORT_METRICS
        own = artifacts.read_json(measured).get(self.path.name, {}) if measured.is_file() else {}
        accuracy, total = own.get("accuracy", self.about.test["accuracy"]), int(self.about.test["total"])
        return accuracy, *scoring.wilson_interval(round(accuracy * total), total)

    def probabilities(self, frames: np.ndarray) -> np.ndarray:
        """The network's answers to frames, uint8 `[N, 28, 28]`: float32 `[N, classes]`."""
        with self._lock:
            return self._network(frames[..., None])

    def __call__(self, drawings: Sequence[np.ndarray]) -> list[Answer]:
        """An answer for each drawing; what a drawing may be, `digits.ink.frame` says."""
        return self.answers([ink.frame(drawing) for drawing in drawings])

    def answers(self, frames: Sequence[np.ndarray | None]) -> list[Answer]:
        """An answer for each frame that `digits.ink.frame` made."""
        drawn = [frame for frame in frames if frame is not None]
        found = iter(self.probabilities(np.stack(drawn)) if drawn else ())
        return [Answer(NOTHING, {}, None) if frame is None else self._answer(next(found), frame) for frame in frames]

    def _answer(self, probabilities: np.ndarray, frame: np.ndarray) -> Answer:
        named = dict(zip(self.about.classes, map(float, probabilities), strict=True))
        return Answer(self.about.decision(float(probabilities.max())), named, frame)

    def saliency(self, frame: np.ndarray) -> np.ndarray:
        """Where the network looked: how much of the best answer's probability each part of the frame carries.

        A black square is moved over the frame (Zeiler and Fergus, https://arxiv.org/abs/1311.2901, section 4.2), which
        every runtime can do.

        Args:
            frame: uint8 `[28, 28]`.

        Returns:
            float32 `[28, 28]`, 0 to 1.
        """
        starts = range(1 - PATCH // 2, ink.SIDE - PATCH // 2, STEP)
        squares = [
            (slice(max(top, 0), top + PATCH), slice(max(left, 0), left + PATCH)) for top in starts for left in starts
        ]
        covered = np.repeat(frame[None], len(squares) + 1, axis=0)
        for image, square in zip(covered, squares, strict=False):
            image[square] = 0
        probabilities = self.probabilities(covered)  # the last one is of the whole frame
        best = probabilities[-1].argmax()
        drop = np.maximum(probabilities[-1, best] - probabilities[:-1, best], 0)
        total, times = np.zeros((2, ink.SIDE, ink.SIDE), np.float32)
        for square, amount in zip(squares, drop, strict=True):
            total[square] += amount
            times[square] += 1
        mean = total / np.maximum(times, 1)
        return np.asarray(mean / max(mean.max(), 1e-6), dtype=np.float32)


def digest(path: Path) -> str:
    """The sha256 of a model file, or of a folder's files in their order."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def catalogue(root: Path = Path()) -> dict[str, tuple[Path, Path]]:
    """The trained models that are there: a name for people -> the model's file and its `about.json`."""
    kinds = {
        paths.LITERT: "LiteRT",
        paths.LITERT_INT8: "LiteRT, 8-bit integers",
        paths.ONNX: "ONNX",
        paths.MODEL: "Keras",
    }
    found: dict[str, tuple[Path, Path]] = {}
    for folder in (root, *sorted((root / "runs").glob("*"))):  # the pipeline's own, then what `make run` left
        described = folder / paths.ABOUT
        if described.is_file():
            known = about.read(described)
            name = f"{known.recipe} on {known.dataset}"
            place = "" if folder == root else f", runs/{folder.name}"
            files = ((folder / path, kind) for path, kind in kinds.items())
            found |= {f"{name} ({kind}{place})": (file, described) for file, kind in files if file.exists()}
    for described in sorted((root / "compare" / "results").glob("*/about.json")):
        file = described.with_name(paths.MODEL.name)
        if file.exists():
            name = f"{described.parent.name} on {about.read(described).dataset}"
            found[f"{name} (Keras, from make compare)"] = (file, described)
    return found


def chosen(model: Path | None, described: Path | None = None) -> tuple[Path, Path]:
    """The named model, or else the first of the catalogue, and the `about.json` that belongs to it.

    Raises:
        UserError: none is named and none is there.
    """
    if model:
        return model, described or model.with_name(paths.ABOUT.name)
    for found in catalogue().values():
        return found
    raise UserError("no trained model here; run `make repro` (MNIST) or `make run` (the embedded digits) first")

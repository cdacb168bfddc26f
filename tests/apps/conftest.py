"""What the tests of page and service share: a folder with a trained model, and drawings to show it."""

import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from digits import params
from digits.core import paths
from digits.datasets import sources
from digits.drawing import framing, strokes
from digits.export import formats, inventory
from digits.metrics import scoring
from digits.metrics.decision import decide
from digits.models import keras_file, metadata
from digits.models.metadata import Metadata
from digits.serving.predictor import Predictor
from digits.splits.split import Split
from digits.training import trainer
from digits.training.checkpoints import Checkpoint
from tests.conftest import ROOT, free_port  # noqa: F401  # for the tests of the programs
from tests.digits.conftest import exported, network  # noqa: F401  # what the command line is tested with
from tools import drawings
from tools.alphabets import TEST, VALIDATION

PRODUCT = (paths.ABOUT, paths.LITERT, paths.LITERT_INT8, paths.MODEL)


@pytest.fixture(scope="session")
def trained(made_once) -> Path:
    """A folder with `models/`: the pipeline's own where it was run on MNIST, else a small network made here."""

    def make(folder: Path) -> None:
        (folder / "models").mkdir()
        if all((ROOT / file).is_file() for file in PRODUCT) and metadata.read(ROOT / paths.ABOUT).dataset == "mnist":
            for file in PRODUCT:
                shutil.copy(ROOT / file, folder / file)
        else:
            train(folder)
        # A figure that no model has by itself: to see on the page which one it tells about.
        accuracies = dict.fromkeys(
            (path.name for path in PRODUCT[1:]), metadata.read(folder / paths.ABOUT).test["accuracy"]
        )
        inventory.write(folder / paths.FORMATS, {**accuracies, paths.LITERT_INT8.name: 0.9})

    return made_once("trained", make)


def train(folder: Path) -> None:
    """Trains on the embedded digits and on drawings by other hands than those of `drawings/`."""
    embedded = sources.load("digits")
    training = joined(embedded.train, drawn(seed=101), drawn(seed=102))
    validation = joined(embedded.test, drawn(seed=104))
    parameters = params.load(ROOT / "params.yaml")
    recipe = parameters.recipe_named("fast_cnn")
    small = recipe.model.model_copy(update={"widths": [8, 16, 32]})
    recipe = recipe.model_copy(update={"model": small, "epochs": 8, "batch_size": 32, "outlier_share": 0.25})
    checkpoint = Checkpoint(folder / paths.CHECKPOINT, identity=None)
    model = trainer.train(recipe, training, validation, classes=10, seed=1, checkpoint=checkpoint).model
    checkpoint.discard()
    probabilities = keras_file.probabilities(model, validation.images)
    decision = decide(validation.labels, probabilities, max_error_when_sure=0.001, min_refused=0, max_rejected=0.02)
    summary = scoring.summarize(validation.labels, probabilities, embedded.card["classes"])
    Metadata("fast_cnn", "digits", embedded.card["classes"], (28, 28, 1), decision, summary).write(folder / paths.ABOUT)
    keras_file.save(folder / paths.MODEL, model)
    formats.write_litert(folder / paths.LITERT, model)
    formats.write_litert_int8(folder / paths.LITERT_INT8, model, training.images[::10])


def drawn(seed: int) -> Split:
    """Digits in every way of writing, as the page would hand them to the network."""
    both = {digit: VALIDATION[digit] | TEST[digit] for digit in VALIDATION}
    found = drawings.make(both, {}, np.random.default_rng(seed))
    digits = [drawing for drawing in found if drawing.label is not None]
    images = np.stack([framing.frame(strokes.render(drawing)) for drawing in digits])
    return Split(images[..., None], np.array([drawing.label for drawing in digits], np.int64))


def joined(*splits: Split) -> Split:
    return Split(np.concatenate([split.images for split in splits]), np.concatenate([split.labels for split in splits]))


@pytest.fixture(scope="session")
def predictor(trained) -> Predictor:
    return Predictor(trained / paths.LITERT, trained / paths.ABOUT, threads=1)


@pytest.fixture(scope="session")
def alphabet() -> dict[tuple[int | None, str], strokes.Drawing]:
    """The first of the committed test drawings of each label and style."""
    found: dict[tuple[int | None, str], strokes.Drawing] = {}
    for drawing in strokes.read(ROOT / paths.DRAWINGS):
        found.setdefault((drawing.label, drawing.style), drawing)
    return found


@pytest.fixture(scope="session")
def three(alphabet) -> np.ndarray:
    """A drawing of a three, black on white, uint8 `[H, W]`."""
    return strokes.render(alphabet[3, "smooth"])


def side_by_side(*images: np.ndarray, height: int = 200, gap: int = 60) -> np.ndarray:
    """Several drawings, black on white, in one picture: the ink of each as high as that of the others."""
    parts = []
    for image in images:
        rows, columns = (np.flatnonzero((image < 128).any(axis=axis)) for axis in (1, 0))
        ink = Image.fromarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        ink = ink.resize((max(round(height * ink.width / ink.height), 1), height))
        parts.append(np.pad(np.asarray(ink), gap // 2, constant_values=255))
    return np.pad(np.concatenate(parts, axis=1), gap // 2, constant_values=255)


@pytest.fixture(scope="session")
def line(alphabet) -> np.ndarray:
    """A one, a seven and a three in a row: the one is the least prominent."""
    keys = [(1, "stick"), (7, "sharp"), (3, "smooth")]
    return side_by_side(*(strokes.render(alphabet[key]) for key in keys))


def encoded(image: np.ndarray, kind: str = "PNG", **options) -> bytes:
    """An image as a file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


class Served:
    """`python -m <module> --port <port>` as a process of its own, which has answered when this is made.

    Args:
        module: the program.
        folder: where it runs.
        port: where it listens.
        options: further arguments.
        variables: of its environment, beside those of the tests.
    """

    def __init__(self, module: str, folder: Path, port: int, *options: str, **variables: str) -> None:
        self.address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", module, "--port", str(port), *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        self.log = folder / f"{module}-{port}.log"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        until = time.monotonic() + 120
        while True:
            try:
                httpx.get(self.address, timeout=5, trust_env=False)
            except httpx.TransportError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < until, self.log.read_text()
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

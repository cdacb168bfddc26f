"""What the tests of exported models share: a tiny network in every format, in the folders that stages use."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from digits.architectures import registry
from digits.core import paths
from digits.export import formats, inventory
from digits.metrics.decision import Decision
from digits.models import keras_file
from digits.models.metadata import Metadata
from tests.conftest import ROOT

EXPORTED = (paths.MODEL, paths.SAVED_MODEL, paths.LITERT, paths.LITERT_INT8, paths.ONNX)
CLASSES = [str(digit) for digit in range(10)]


def tiny_network(seed: int = 0, shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10) -> keras.Model:
    """From pixels to probabilities through what a real network has; far from equal ones."""
    initializers = iter(keras.initializers.RandomNormal(stddev=std, seed=seed) for std in (0.5, 0.6))
    pixels = keras.Input(shape, dtype="uint8", name="pixels")
    features = keras.layers.Rescaling(1 / 255)(pixels)
    features = keras.layers.Conv2D(4, 3, strides=2, activation="relu", kernel_initializer=next(initializers))(features)
    features = keras.layers.MaxPooling2D(2)(features)
    features = keras.layers.BatchNormalization()(features)
    features = keras.layers.Flatten()(features)
    logits = keras.layers.Dense(classes + 1, kernel_initializer=next(initializers))(features)
    logits = registry.share_out(classes)(logits)
    return keras.Model(pixels, keras.layers.Softmax(name="probabilities")(logits), name="tiny")


def frames(count: int, seed: int = 0) -> np.ndarray:
    """Blots of light on black, uint8 `[count, 28, 28, 1]`."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 5, 5), np.uint8)
    coarse[coarse < 150] = 0
    return np.pad(coarse.repeat(4, axis=1).repeat(4, axis=2), ((0, 0), (4, 4), (4, 4)))[..., None]


def about_it(**changes: object) -> Metadata:
    """A description of `tiny_network`."""
    known = {
        "recipe": "tiny",
        "dataset": "mnist",
        "classes": CLASSES,
        "image_shape": (28, 28, 1),
        "decision": Decision(sure=0.9, known=0.4),
        "test": {"accuracy": 0.9, "accuracy_low": 0.88, "accuracy_high": 0.92, "total": 1000},
    }
    return Metadata(**{**known, **changes})


def export_all(folder: Path) -> None:
    network = tiny_network()
    keras_file.save(folder / paths.MODEL, network)
    formats.write_saved_model(folder / paths.SAVED_MODEL, network)
    formats.write_litert(folder / paths.LITERT, network)
    formats.write_litert_int8(folder / paths.LITERT_INT8, network, frames(100, seed=1))
    formats.write_onnx(folder / paths.ONNX, network)
    about_it().write(folder / paths.ABOUT)
    inventory.write(folder / paths.FORMATS, {path.name: 0.9 for path in EXPORTED})


EXPORT = """
import sys
from pathlib import Path
from digits.models import determinism
from digits.params import Processor
from tests.digits import conftest
determinism.configure(Processor(threads=2, instructions="avx2"))
conftest.export_all(Path(sys.argv[1]))
"""


def export_elsewhere(folder: Path, seed: str) -> None:
    """Exports in a process of its own: there Python orders its sets by hashes from this seed."""
    command = [sys.executable, "-c", EXPORT, str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


@pytest.fixture(scope="session")
def network() -> keras.Model:
    return tiny_network()


@pytest.fixture(scope="session")
def exported(made_once) -> Path:
    """A project's folder with `models/` in all formats; nothing in it may be changed."""

    return made_once("exported", lambda folder: export_elsewhere(folder, "1"))

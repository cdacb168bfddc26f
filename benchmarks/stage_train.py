"""Runs commands as a user does, in a process and a folder of their own, and measures the models that they write."""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from benchmarks import child
from digits.core import paths
from digits.models import keras_file
from digits.splits import tfrecords

SOURCES = Path(__file__).parents[1]
OURS = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA")  # variables that importing `digits` sets


def prepare(folder: Path, changes: Mapping[str, Any]) -> None:
    """Makes an empty folder one to train in: the current one's records and drawings, and its parameters with changes.

    Args:
        folder: exists.
        changes: new values, by keys joined with dots.
    """
    (folder / paths.TFRECORDS).parent.mkdir(parents=True)
    (folder / paths.TFRECORDS).symlink_to(paths.TFRECORDS.resolve())
    shutil.copytree(paths.PRACTICE_DRAWINGS.parent, folder / paths.PRACTICE_DRAWINGS.parent)
    yaml = YAML()
    content = yaml.load(paths.PARAMS)
    for key, value in changes.items():
        *sections, name = key.split(".")
        section = content
        for part in sections:
            section = section[part]
        section[name] = value
    with (folder / paths.PARAMS).open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def timed(command: Sequence[str], folder: Path) -> float:
    """Returns the seconds that a command takes in a folder, with TensorFlow's own settings to begin with."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    environment["PYTHONPATH"] = str(SOURCES)
    start = time.perf_counter()
    child.run(command, folder, environment)
    return time.perf_counter() - start


def accuracy(model: Path, *, scale: float = 1) -> float:
    """Returns a model's accuracy on the test split; it gets the pixels divided by `scale`."""
    test = tfrecords.read(paths.TFRECORDS, "test")
    images = test.images if scale == 1 else test.images / np.float32(scale)
    answers = keras_file.probabilities(keras_file.load(model), images).argmax(axis=1)
    return float((answers == test.labels).mean())

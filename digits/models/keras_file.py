"""Reads and writes trained networks as `.keras` files: atomic and byte-reproducible."""

import json
import re
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np

from digits.core import files
from digits.core.errors import UserError, one_line

BATCH = 1000  # images


def save(path: Path, model: keras.Model) -> None:
    """Writes architecture, weights and optimiser state in Keras' format."""
    with files.replacing(path) as partial:
        model.save(partial)
        _make_stable(partial)


def load(path: Path) -> keras.Model:
    """Reads what `save` wrote; plain `keras.models.load_model` reads it too.

    Raises:
        UserError: the file is damaged or was written by an incompatible version of Keras.
        FileNotFoundError: there is no such file.
    """
    path.open("rb").close()  # Keras reports a missing or locked file as a ValueError about formats
    try:
        return keras.models.load_model(path)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile, zlib.error) as error:
        reason = one_line(error)
        raise UserError(f"{path}: not readable as a Keras model ({reason}); run `dvc repro -f train`") from error


def probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns the model's probabilities for images, uint8 `[N, H, W, C]`: float32 `[N, classes]`."""
    # `predict` gives the same bytes, but for few images its input pipeline takes five times as long as the network.
    parts = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    # Several devices answer one after the other, each to the whole part.
    return np.concatenate([model.predict_on_batch(part)[: len(part)] for part in parts])


def _make_stable(path: Path) -> None:
    """Rewrites a `.keras` archive so that the same model gives the same bytes.

    Keras stores the time of saving, dates each member with it, and names shared objects by memory address. Here the
    time is dropped, dates are zip's earliest (1980-01-01), and ids are renumbered in order of appearance.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(members["metadata.json"])
    metadata.pop("date_saved", None)
    members["metadata.json"] = json.dumps(metadata).encode()
    members["config.json"] = _renumbered(members["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def _renumbered(config: str) -> str:
    numbers: dict[str, int] = {}

    def renumber(match: re.Match[str]) -> str:
        return f"{match[1]}{numbers.setdefault(match[2], len(numbers) + 1)}"

    return re.sub(r'("shared_object_id": )(\d+)', renumber, config)

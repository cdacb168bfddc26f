"""Reads and writes trained networks as `.keras` files: atomic and byte-reproducible."""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from digits.core import files
from digits.core.errors import UserError, as_os_error, one_line
from digits.models import provenance

BATCH = 1000  # images


def save(path: Path, model: keras.Model, record: Mapping[str, Any] | None = None) -> None:
    """Writes architecture, weights and optimiser state in Keras' format, and a record for `provenance.read`."""
    with files.replacing(path) as partial:
        model.save(partial)
        _make_stable(partial, record)


def load(path: Path) -> keras.Model:
    """Reads what `save` wrote; plain `keras.models.load_model` reads it too.

    A file with code of its own, such as a `Lambda` layer, is refused (Keras' `safe_mode`).

    Raises:
        UserError: the file is damaged, has code in it, or was written by an incompatible version of Keras.
        FileNotFoundError: there is no such file.
    """
    path.open("rb").close()  # Keras reports a missing or locked file as a ValueError about formats
    try:
        _check_whole(path)
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # Keras, h5py, zipfile and json raise a dozen classes on damage
        if failure := as_os_error(error):
            raise failure from error
        reason = one_line(error)
        raise UserError(f"{path}: not readable as a Keras model ({reason}); run `dvc repro -f train`") from error


def _check_whole(path: Path) -> None:
    """Compares all checksums in the archive; Keras, where one is wrong, reads the weights without comparing."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        if damaged := archive.testzip():
            raise ValueError(f"{damaged} is damaged")


def probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns the model's probabilities for images, uint8 `[N, H, W, C]`: float32 `[N, classes]`."""
    # `predict` gives the same bytes, but for few images its input pipeline takes five times as long as the network.
    parts = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    # Several devices answer one after the other, each to the whole part.
    return np.concatenate([model.predict_on_batch(part)[: len(part)] for part in parts])


def _make_stable(path: Path, record: Mapping[str, Any] | None) -> None:
    """Rewrites a `.keras` archive so that the same model gives the same bytes, and adds a record to its metadata.

    Keras stores the time of saving, dates each member with it, and names shared objects by memory address. Here the
    time is dropped, dates are zip's earliest (1980-01-01), and ids are renumbered in order of appearance.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(members["metadata.json"])
    metadata.pop("date_saved", None)
    if record is not None:
        metadata[provenance.KEY] = record
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

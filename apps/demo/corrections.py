"""Drawings that users corrected on the page: a PNG file each, and an index with their labels, in `data/drawn`."""

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from digits.core import files
from digits.core.errors import UserError
from digits.serving import image_file

INDEX = "drawings.jsonl"
MAX_DRAWINGS = 20_000  # the index is rewritten for each


def save(folder: Path, sheet: np.ndarray, label: str | None, details: Mapping[str, Any]) -> Path:
    """Saves a drawing with its label; saving the same drawing again replaces its index entry.

    Args:
        folder: where to.
        sheet: the drawing, uint8 `[H, W]`.
        label: its true class; None for none of the classes.
        details: further JSON values for the index entry.

    Returns:
        The path of the PNG file.

    Raises:
        UserError: the folder is full.
    """
    content = image_file.encode_png(sheet)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.png"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = {entry["file"]: entry for entry in _entries(folder)}
        if len(entries) >= MAX_DRAWINGS and path.name not in entries:
            raise UserError(f"{folder} is full: it holds {len(entries):,} drawings; move them elsewhere")
        entries[path.name] = {**details, "file": path.name, "label": label}
        with files.replacing(path) as partial:
            partial.write_bytes(content)
        files.write_text(folder / INDEX, "".join(json.dumps(entry) + "\n" for entry in entries.values()))
    return path


def read(folder: Path) -> list[tuple[str, np.ndarray, str | None]]:
    """Reads the saved drawings: the name of each file, its pixels, and its label.

    Raises:
        UserError: there are none, or a file is damaged.
    """
    drawings = [
        (entry["file"], image_file.decode((folder / entry["file"]).read_bytes()), entry["label"])
        for entry in _entries(folder)
    ]
    if not drawings:
        raise UserError(f"{folder}: no drawings yet; correct some on the page of `make demo`")
    return drawings


def _entries(folder: Path) -> Iterator[dict[str, Any]]:
    path = folder / INDEX
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else (), start=1):
        try:
            entry = json.loads(line)
            entry["file"], entry["label"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}, line {number}: damaged ({error}); delete the line") from error
        yield entry

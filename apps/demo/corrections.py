"""Drawings that users corrected on the page: a PNG file each, and an index with their labels, in `data/drawn`."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from apps import limits
from digits.core import files
from digits.core.errors import UserError
from digits.serving import image_file

INDEX = "drawings.jsonl"


def save(folder: Path, sheet: np.ndarray, label: str | None, details: Mapping[str, Any]) -> Path:
    """Saves a drawing with its label; of a drawing that was saved twice, the later label holds.

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
    line = json.dumps({**details, "file": path.name, "label": label}).encode() + b"\n"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _check_space(folder, path, len(content) + len(line))
        with files.replacing(path) as partial:
            partial.write_bytes(content)
        _append(folder / INDEX, line)
    return path


def read(folder: Path) -> list[tuple[str, np.ndarray, str | None]]:
    """Reads the saved drawings: the name of each file, its pixels, and its label.

    Raises:
        UserError: there are none, or a file is damaged.
    """
    labels = {entry["file"]: entry["label"] for entry in _entries(folder / INDEX)}
    if not labels:
        raise UserError(f"{folder}: no drawings yet; correct some on the page of `make demo`")
    return [(name, image_file.decode(image_file.read(folder / name)), label) for name, label in labels.items()]


def _check_space(folder: Path, path: Path, size: int) -> None:
    sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
    drawings, held = sum(name.endswith(".png") for name in sizes), sum(sizes.values())
    if (drawings >= limits.KEPT_DRAWINGS and path.name not in sizes) or held + size > limits.KEPT_BYTES:
        raise UserError(f"{folder} is full: {drawings:,} drawings, {held / limits.MB:.0f} MB; move them elsewhere")


def _append(index: Path, line: bytes) -> None:
    """Appends a line whole or not at all; an earlier one that was cut off stays one line."""
    with index.open("a+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        cut_off = size and file.read(1) != b"\n"
        try:
            file.write(b"\n" + line if cut_off else line)
            file.flush()
        except OSError:
            os.ftruncate(file.fileno(), size)
            raise


def _entries(index: Path) -> Iterator[dict[str, Any]]:
    lines = index.read_text(encoding="utf-8", errors="replace").splitlines() if index.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            Path(entry["file"]), entry["label"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(f"{index}, line {number}: damaged ({error}); delete the line") from error
        yield entry

"""Drawings that somebody corrected: a picture each and a line each, in `data/drawn`."""

import fcntl
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from digits.core import files
from digits.core.errors import UserError
from digits.serving import image_file

LINES = "drawings.jsonl"
MOST = 20_000  # drawings; whoever collects more needs another place for them


def save(folder: Path, sheet: np.ndarray, label: str | None, details: Mapping[str, Any]) -> Path:
    """Keeps a drawing; the same one again replaces what was said about it.

    Args:
        folder: where to.
        sheet: the picture, uint8 `[H, W]`.
        label: what it really is; None for none of the classes.
        details: what else to keep, for JSON.

    Returns:
        The picture's file.

    Raises:
        UserError: there are too many already.
    """
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "PNG")
    path = folder / f"{hashlib.sha256(file.getvalue()).hexdigest()[:16]}.png"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = {entry["file"]: entry for entry in _entries(folder)}
        if len(kept) >= MOST and path.name not in kept:
            raise UserError(f"{folder} holds {MOST:,} drawings: enough")
        kept[path.name] = {**details, "file": path.name, "label": label}
        with files.replacing(path) as partial:
            partial.write_bytes(file.getvalue())
        files.write_text(folder / LINES, "".join(json.dumps(entry) + "\n" for entry in kept.values()))
    return path


def read(folder: Path) -> list[tuple[str, np.ndarray, str | None]]:
    """What `save` kept: the name of each file, its picture, and what it really is.

    Raises:
        UserError: there is nothing, or a file is damaged.
    """
    found = [
        (entry["file"], image_file.decode((folder / entry["file"]).read_bytes()), entry["label"])
        for entry in _entries(folder)
    ]
    if not found:
        raise UserError(f"{folder}: no drawings yet; draw some with `make demo` and say what they are")
    return found


def _entries(folder: Path) -> Iterator[dict[str, Any]]:
    path = folder / LINES
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else (), start=1):
        try:
            entry = json.loads(line)
            entry["file"], entry["label"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}, line {number}: damaged ({error}); delete the line") from error
        yield entry

"""Compares exported models with the Keras model, each run by its own runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digits.core.progress import track
from digits.export import backends
from digits.splits.split import Split

BATCH = 500


def measure(files: Sequence[Path], split: Split, threads: int) -> dict[str, dict[str, Any]]:
    """Compares models with the first of them.

    Args:
        files: the models, the reference first.
        split: images to compare them on.
        threads: for one call.

    Returns:
        For each file's name: `agreement`, the share of the images with the same answer; `max_difference` of a
        probability; its `accuracy`; and its size in `bytes`.
    """
    rows: dict[str, dict[str, Any]] = {}
    reference = None
    for file in track(files, "comparing formats", len(files)):
        network = backends.load(file, threads)
        parts = [network(split.images[start : start + BATCH]) for start in range(0, len(split), BATCH)]
        probabilities = np.concatenate(parts)
        reference = probabilities if reference is None else reference
        answers = probabilities.argmax(axis=1)
        rows[file.name] = {
            "agreement": float((answers == reference.argmax(axis=1)).mean()),
            "max_difference": float(np.abs(probabilities - reference).max()),
            "accuracy": float((answers == split.labels).mean()),
            "bytes": size(file),
        }
    return rows


def size(path: Path) -> int:
    """Returns the size in bytes of a file, or of all files in a folder."""
    return path.stat().st_size if path.is_file() else sum(size(inner) for inner in path.iterdir())

"""Raw data on disk: the unchanged images and labels of each split, and a card with their source."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from digits.core import files
from digits.core.errors import UserError, one_line
from digits.splits.split import Dataset, Split

CARD = "card.json"
ARRAYS = tuple(f"{split}_{part}.npy" for split in ("train", "test") for part in ("images", "labels"))
FACTS = ("name", "version", "source", "licence", "classes", "sha256")  # that the card must have


def write(directory: Path, dataset: Dataset) -> None:
    """Writes `{split}_{images,labels}.npy` and the card, with the sha256 of each array file."""
    with files.replacing(directory) as partial:
        partial.mkdir()
        checksums = {}
        for name, split in dataset.splits.items():
            for part, array in (("images", split.images), ("labels", split.labels)):
                file = partial / f"{name}_{part}.npy"
                file.write_bytes(_npy(array))
                checksums[file.name] = files.sha256(file)
        files.write_json(partial / CARD, {**dataset.card, "sha256": checksums})


def read(directory: Path) -> Dataset:
    """Reads what `write` wrote.

    Raises:
        UserError: the card is damaged, or a file's checksum is not that in the card.
        FileNotFoundError: a file is missing.
    """
    card = read_card(directory)
    images, labels, test_images, test_labels = (_array(directory / name, card["sha256"][name]) for name in ARRAYS)
    return Dataset(Split(images, labels), Split(test_images, test_labels), card)


def read_card(directory: Path) -> dict[str, Any]:
    """Reads the card alone.

    Raises:
        UserError: it is damaged.
    """
    card = files.read_json(directory / CARD, FACTS)
    checksums, classes = card["sha256"], card["classes"]
    if not isinstance(checksums, dict) or sorted(checksums) != sorted(ARRAYS):
        raise UserError(
            f"{directory / CARD}: damaged (sha256 names other files than {', '.join(ARRAYS)}); {files.ANEW}"
        )
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise UserError(f"{directory / CARD}: damaged (classes is no list of names); {files.ANEW}")
    return card


def _array(path: Path, checksum: str) -> np.ndarray:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != checksum:
        raise UserError(f"{path}: corrupt, its sha256 is not that in {CARD}; {files.ANEW}")
    try:
        return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
    except Exception as error:  # not ours, though the card knows it; NumPy raises several classes
        raise UserError(f"{path}: no array ({one_line(error)}); {files.ANEW}") from error


def _npy(array: np.ndarray) -> bytes:
    """Returns the bytes of an `.npy` file; NumPy, writing it itself, gives no reason when the disk is full."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()

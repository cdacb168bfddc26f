"""Raw data on disk: the unchanged images and labels of each split, and a card with their source."""

import io
from pathlib import Path

import numpy as np

from digits.core import files
from digits.core.errors import UserError
from digits.splits.split import Dataset, Split

CARD = "card.json"


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
        UserError: a file's checksum is not that in the card.
        FileNotFoundError: a file is missing.
    """
    card = files.read_json(directory / CARD)
    for name, expected in card["sha256"].items():
        if files.sha256(directory / name) != expected:
            raise UserError(f"{directory / name}: corrupt, its sha256 is not that in {CARD}; {files.ANEW}")
    splits = {
        name: Split(np.load(directory / f"{name}_images.npy"), np.load(directory / f"{name}_labels.npy"))
        for name in ("train", "test")
    }
    return Dataset(**splits, card=card)


def _npy(array: np.ndarray) -> bytes:
    """Returns the bytes of an `.npy` file; NumPy, writing it itself, gives no reason when the disk is full."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()

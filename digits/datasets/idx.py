"""Reads the four files of MNIST, and those of other sets that are published in its format, IDX.

The format: http://yann.lecun.com/exdb/mnist/, "File formats for the MNIST database".
"""

import gzip
import hashlib
import math
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from digits.core import files
from digits.core.errors import UserError

# The names of a split's files; EMNIST's begin with the name of the set.
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
EMNIST_FILES = {
    split: tuple(f"emnist-{{}}-{split}-{content}-ubyte" for content in ("images-idx3", "labels-idx1"))
    for split in ("train", "test")
}

MAX_SIDES = 4  # of an array in a file; images have 3, coloured ones 4

# SHA-256 of MNIST's unpacked files: the same images, packed again or not packed, are the originals too.
UNPACKED = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def read(folder: Path, name: str, packed: Mapping[str, str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Reads a whole set.

    Args:
        folder: has the four files, with gzip or without, `-idx3` or `.idx3` in their names.
        name: of the set, `mnist` or `emnist/digits` for example.
        packed: file name -> SHA-256 of the packed file as published; a file that is not listed is not compared.

    Returns:
        Split name, `train` and `test` -> images, uint8 `[N, H, W, 1]`, and labels, int64 `[N]`, in the files' order.

    Raises:
        UserError: a file is missing, damaged or not the published one, or the counts of a split differ.
    """
    base, _, configuration = name.partition("/")
    names = EMNIST_FILES if base == "emnist" else FILES
    splits = {}
    for split, pair in names.items():
        images, labels = (_read(folder, stem.format(configuration), name, packed) for stem in pair)
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise UserError(
                f"MNIST_DIR: the {split} files of {folder} hold images of shape {images.shape} and labels of shape "
                f"{labels.shape}: not one label an image; copy both files again"
            )
        splits[split] = images[..., None], labels.astype(np.int64)
    return splits


def _read(folder: Path, stem: str, name: str, packed: Mapping[str, str]) -> np.ndarray:
    path = _find(folder, stem, name)
    content = _unpacked(path)
    digest = hashlib.sha256(content).hexdigest()
    if f"{stem}.gz" in packed and not _is_published(path, stem, name, packed[f"{stem}.gz"], digest):
        raise UserError(
            f"MNIST_DIR: {path} is not {name}'s file as published (sha256 of its content {digest[:12]}...): damaged, "
            f"or of another set; copy it again, or unset MNIST_DIR, and {name} is downloaded"
        )
    return _parsed(path, content)


def _is_published(path: Path, stem: str, name: str, packed: str, digest: str) -> bool:
    """Compares a file, packed or not; of other sets than MNIST nobody publishes checksums of the unpacked files."""
    if name == "mnist":
        return digest == UNPACKED[stem] or files.sha256(path) == packed
    if path.suffix == ".gz":
        return files.sha256(path) == packed
    return digest not in UNPACKED.values()  # whose files have the same names


def _find(folder: Path, stem: str, name: str) -> Path:
    stems = (stem, stem.replace("-idx", ".idx"))
    for path in (folder / f"{form}{end}" for form in stems for end in (".gz", "")):
        if path.is_file():
            return path
    raise UserError(
        f"MNIST_DIR: {folder / stem}.gz is missing; the folder must hold the four files of {name}, or unset MNIST_DIR, "
        f"and it is downloaded"
    )


def _unpacked(path: Path) -> bytes:
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(f"MNIST_DIR: {path} is truncated or corrupt; copy it again") from error


def _parsed(path: Path, content: bytes) -> np.ndarray:
    """Returns the array of an IDX file of unsigned bytes: two zeros, 8, the number of sides, the sides, the values."""
    sides = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * sides
    shape = tuple(np.frombuffer(content[4:start], ">u4").tolist()) if len(content) >= start else ()
    if not 0 < sides <= MAX_SIDES or len(content) != start + math.prod(shape):
        raise UserError(f"MNIST_DIR: {path} is truncated or corrupt, or no IDX file of bytes; copy it again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)

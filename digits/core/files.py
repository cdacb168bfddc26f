"""Atomic, byte-reproducible writers, and readers that report damage in one line."""

import csv
import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from digits.core.errors import UserError, as_os_error, one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ANEW = "delete it, and `dvc repro` makes it anew"
DPI = 150  # of figures
CHECKSUM = hashlib.sha256().digest_size * 2  # characters of a SHA-256 in hexadecimal
DECIMALS = 6  # of every number in a metrics or plots file: finer than its spread between seeds, readable in a diff


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path` to write to (a file or a directory), then renames it to `path`.

    When the block fails, the temporary path is removed and `path` is unchanged. A failed file operation is reported
    under the name `path`. The temporary name contains the process id: a killed `dvc` leaves its stage running, and the
    next `dvc` may write the same file at the same time.
    """
    partial = path.with_name(f"partial-{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f"partial-*-{path.name}"):
            if not _running(int(leftover.name.split("-")[1])):
                _remove(leftover)
        yield partial
        if partial.is_dir():
            _remove(path)  # os.replace cannot replace a directory that is not empty
        os.replace(partial, path)
    except Exception as error:
        failure = as_os_error(error)
        if failure is None:
            raise
        raise OSError(failure.errno, failure.strerror, str(path)) from error
    finally:
        _remove(partial)


def _running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, or of the contents of a folder's files in the order of their paths.

    Raises:
        FileNotFoundError: there is no such file.
    """
    members = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for member in members:
        with member.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)  # in pieces: a shard may be larger than the memory
    return digest.hexdigest()


def write_text(path: Path, text: str) -> None:
    """Writes `text` in UTF-8."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes `content` as indented JSON, floats rounded to `DECIMALS`; raises on NaN and infinity."""
    write_text(path, json.dumps(_rounded(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path, names: Collection[str] = ()) -> dict[str, Any]:
    """Reads the object in a JSON file.

    Args:
        path: the file.
        names: the keys that must be present; others may be too.

    Raises:
        UserError: the file is not JSON, or not an object, or a key is missing.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # the latter: nested thousands deep
        raise UserError(f"{path}: not readable as JSON ({one_line(error)}); {ANEW}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds no JSON object; {ANEW}")
    _require(path, names, content)
    return content


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")


def _require(path: Path, names: Collection[str], content: Collection[str]) -> None:
    if missing := set(names) - set(content):
        raise UserError(f"{path}: holds no {', '.join(sorted(missing))}; {ANEW}")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes `rows` under a header of the first row's keys, floats rounded to `DECIMALS`."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(_rounded(row) for row in rows)


def read_csv(
    path: Path, columns: Mapping[str, type], optional: Mapping[str, type] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """Reads the rows of a CSV file with a header.

    Args:
        path: the file.
        columns: the columns to read, with the type of each.
        optional: further columns, read if present.

    Raises:
        UserError: a column is missing, a value is of another type, or there are no rows.
    """
    with path.open(encoding="utf-8", newline="") as file:
        try:
            reader = csv.DictReader(file)
            extra = {name: kind for name, kind in optional.items() if name in (reader.fieldnames or ())}
            rows = [{name: kind(row[name]) for name, kind in {**columns, **extra}.items()} for row in reader]
        except (KeyError, ValueError, TypeError, csv.Error) as error:
            raise UserError(f"{path}: damaged ({one_line(error)}); {ANEW}") from error
    if not rows:
        raise UserError(f"{path}: holds no rows; {ANEW}")
    return rows


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes named arrays as one `.npz` (NumPy gives its members a fixed date) that ends with its SHA-256.

    The checksum is the archive's comment, so that NumPy alone can read the file. The CRC of each member is not enough:
    NumPy reads as many bytes as an array has, and zipfile compares the CRC only where a member ends.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # the stub takes no **dict of arrays
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = bytes(CHECKSUM)
    content = buffer.getvalue()[:-CHECKSUM]
    with replacing(path) as partial:
        partial.write_bytes(content + _checksum(content))


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def read_arrays(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """Reads the arrays of an `.npz` file by name.

    Args:
        path: the file.
        names: the arrays that must be present; others may be too.

    Raises:
        UserError: the file is damaged, or an array is missing.
    """
    content = path.read_bytes()
    if content[-CHECKSUM:] != _checksum(content[:-CHECKSUM]):
        raise UserError(f"{path}: damaged; {ANEW}")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = dict(archive)
    except Exception as error:  # not ours, though its checksum is right; NumPy and zipfile raise a dozen classes
        raise UserError(f"{path}: no arrays ({one_line(error)}); {ANEW}") from error
    _require(path, names, arrays)
    return arrays


def write_figure(path: Path, figure: "Figure") -> None:
    """Writes a figure as PNG, without matplotlib's version in its metadata."""
    figure.set_dpi(DPI)
    if layout := figure.get_layout_engine():  # by itself, because `savefig` would draw the whole figure for it
        layout.execute(figure)
        figure.set_layout_engine(None)
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(float(value), DECIMALS)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value

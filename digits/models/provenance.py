"""Where a model comes from, told by the model file itself: recipe, data, versions, class of the processor.

Nothing in a record changes from run to run: no date, no host, no commit. The commit is what `dvc.lock` is for, see
`tools/provenance.py`. Reading needs no TensorFlow.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from digits.core.errors import UserError, one_line

KEY = "provenance"  # in a `.keras` file's metadata.json, and in an ONNX file's metadata_props
MEMBER = "provenance.json"  # in the archive at the end of a `.tflite` file, and in a SavedModel's folder for extras
EXTRAS = "assets.extra"  # the folder that the format leaves to its users


def read(path: Path) -> dict[str, Any]:
    """Reads the record of a `.keras`, `.tflite` or `.onnx` file, or of the folder of a SavedModel.

    Raises:
        UserError: it holds none.
        FileNotFoundError: there is no such file.
    """
    file = path / EXTRAS / MEMBER if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise UserError(f"{path}: holds no record of its training (no {EXTRAS}/{MEMBER})")
    content = file.read_bytes()
    try:
        record = READERS[file.suffix](content)
    except Exception as error:  # zipfile, json and onnx raise a dozen classes
        raise UserError(f"{path}: holds no record of its training ({one_line(error)})") from error
    if not isinstance(record, dict):
        raise UserError(f"{path}: holds no record of its training")
    return record


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Adds a record to a `.tflite` file, as an archive at its end.

    That is how the format carries files of its users (https://ai.google.dev/edge/litert/models/metadata, "associated
    files"); who runs the model reads from the front and does not see it.
    """
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(MEMBER), dump(record))


def dump(record: Mapping[str, Any]) -> str:
    """Returns a record as JSON, the same text for the same record."""
    return json.dumps(record, sort_keys=True)


def _of_keras(content: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read("metadata.json"))[KEY]


def _of_litert(content: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read(MEMBER))


def _of_onnx(content: bytes) -> Any:
    import onnx  # noqa: PLC0415  # takes a while, and the other formats do without

    (text,) = (entry.value for entry in onnx.load_from_string(content).metadata_props if entry.key == KEY)
    return json.loads(text)


READERS: dict[str, Callable[[bytes], Any]] = {
    ".keras": _of_keras,
    ".tflite": _of_litert,
    ".onnx": _of_onnx,
    ".json": json.loads,
}

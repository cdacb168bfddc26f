"""From the body of a request to drawings: an image file, several in a form, or a JSON array."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

import numpy as np
import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from apps.api.refusals import RefusedError
from digits.core.errors import UserError, one_line
from digits.drawing import framing
from digits.serving import image_file

LARGEST_BATCH = 64


def drawings(content_type: str, content: bytes) -> Iterator[np.ndarray]:
    """The drawings in a body, by its content type, one after the other: all at once might not fit into memory.

    Raises:
        UserError: the body is not what its type says, or empty, or holds too many.
        RefusedError: no such type is read.
    """
    kind, options = parse_options_header(content_type)
    if kind == b"application/json":
        return iter(from_json(content))
    if kind == b"multipart/form-data":
        return map(image_file.decode, files(options.get(b"boundary", b""), content))
    if kind.startswith(b"image/") or kind == b"application/octet-stream":
        return map(image_file.decode, [content])
    raise RefusedError(415, "send image/png or another image, multipart/form-data or application/json")


def from_json(content: bytes) -> list[np.ndarray]:
    """One image, 28 rows of 28 whole numbers from 0 to 255, or a list of such."""
    try:
        values = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UserError(f"the body is no JSON: {error}") from error
    single = isinstance(values, list) and bool(values) and isinstance(values[0], list) and not _nested(values[0])
    images = [values] if single else values
    if not isinstance(images, list) or not images:
        raise UserError("the body is not an array of 28 rows of 28 numbers, nor a list of such arrays")
    if len(images) > LARGEST_BATCH:
        raise UserError(f"{len(images)} images; at most {LARGEST_BATCH} at once")
    return [_image(image) for image in images]


def _nested(row: list[object]) -> bool:
    return bool(row) and isinstance(row[0], list)


def _image(rows: object) -> np.ndarray:
    side = framing.SIDE
    if not isinstance(rows, list) or len(rows) != side or any(not isinstance(r, list) or len(r) != side for r in rows):
        raise UserError(f"an image is an array of {side} rows of {side} numbers each")
    kinds = set(map(type, chain.from_iterable(rows)))
    if kinds == {int}:
        with suppress(ValueError):  # outside of 0 to 255
            return np.frombuffer(b"".join(map(bytes, rows)), np.uint8).reshape(side, side)
    elif kinds <= {int, float}:  # 1.0 is a whole number in JSON
        values = np.array(rows, np.float64)
        if (values == np.floor(values)).all() and values.min() >= 0 and values.max() <= 255:
            return values.astype(np.uint8)
    raise UserError("a pixel is a whole number from 0 to 255")


def files(boundary: bytes, content: bytes) -> list[bytes]:
    """The contents of a form's fields `file`, whether they have a file's name or not."""
    found: list[bytes] = []

    def add(part: Field | File) -> None:
        if part.field_name != b"file":
            raise UserError("the form holds something else than files under the name 'file'")
        if len(found) == LARGEST_BATCH:
            raise UserError(f"more than {LARGEST_BATCH} files; at most {LARGEST_BATCH} at once")
        found.append(_content(part))

    memory = {"MAX_MEMORY_FILE_SIZE": image_file.MAX_BYTES}  # nothing goes to the disk
    try:
        parser = FormParser("multipart/form-data", add, add, boundary=boundary, config=memory)
        parser.write(content)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise UserError(f"the form cannot be read: {one_line(error)}") from error
    if not found:
        raise UserError("the form holds no file; it is expected under the name 'file'")
    return found


def _content(part: Field | File) -> bytes:
    if isinstance(part, Field):
        return part.value or b""
    part.file_object.seek(0)
    return part.file_object.read()

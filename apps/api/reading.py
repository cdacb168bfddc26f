"""Parses request bodies into images: an image file, a form with several, or a JSON array."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

import numpy as np
import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from apps.api.request_errors import RequestError
from digits.core.errors import UserError, one_line
from digits.drawing import framing
from digits.serving import image_file

MAX_BATCH = 64


def drawings(content_type: str, content: bytes) -> Iterator[np.ndarray]:
    """Decodes the images in a body one by one: all at once might not fit into memory.

    Raises:
        UserError: the body is empty, does not match its content type, or holds too many images.
        RequestError: the content type is not supported.
    """
    kind, options = parse_options_header(content_type)
    if kind == b"application/json":
        return iter(from_json(content))
    if kind == b"multipart/form-data":
        return map(image_file.decode, files(options.get(b"boundary", b""), content))
    if kind.startswith(b"image/") or kind == b"application/octet-stream":
        return map(image_file.decode, [content])
    raise RequestError(415, "unsupported content type; send image/*, multipart/form-data or application/json")


def from_json(content: bytes) -> list[np.ndarray]:
    """Parses one image, 28 rows of 28 integers from 0 to 255, or a list of images."""
    try:
        values = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UserError(f"invalid JSON: {error}") from error
    single = isinstance(values, list) and bool(values) and isinstance(values[0], list) and not _nested(values[0])
    images = [values] if single else values
    if not isinstance(images, list) or not images:
        raise UserError("the JSON is neither an image, an array of 28 rows of 28 integers, nor a list of images")
    if len(images) > MAX_BATCH:
        raise UserError(f"too many images: {len(images)}, at most {MAX_BATCH} a request")
    return [_image(image) for image in images]


def _nested(row: list[object]) -> bool:
    return bool(row) and isinstance(row[0], list)


def _image(rows: object) -> np.ndarray:
    side = framing.SIDE
    if not isinstance(rows, list) or len(rows) != side or any(not isinstance(r, list) or len(r) != side for r in rows):
        raise UserError(f"invalid image: it must be an array of {side} rows of {side} integers")
    kinds = set(map(type, chain.from_iterable(rows)))
    if kinds == {int}:
        with suppress(ValueError):  # outside 0 to 255
            return np.frombuffer(b"".join(map(bytes, rows)), np.uint8).reshape(side, side)
    elif kinds <= {int, float}:  # 1.0 is a whole number in JSON
        values = np.array(rows, np.float64)
        if (values == np.floor(values)).all() and values.min() >= 0 and values.max() <= 255:
            return values.astype(np.uint8)
    raise UserError("invalid pixel: it must be an integer from 0 to 255")


def files(boundary: bytes, content: bytes) -> list[bytes]:
    """The contents of a form's fields named `file`, with or without a file name."""
    contents: list[bytes] = []

    def add(part: Field | File) -> None:
        if part.field_name != b"file":
            raise UserError("unexpected form field; all fields must be files named 'file'")
        if len(contents) == MAX_BATCH:
            raise UserError(f"too many files: at most {MAX_BATCH} a request")
        contents.append(_content(part))

    memory = {"MAX_MEMORY_FILE_SIZE": image_file.MAX_BYTES}  # nothing goes to the disk
    try:
        parser = FormParser("multipart/form-data", add, add, boundary=boundary, config=memory)
        parser.write(content)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise UserError(f"invalid form: {one_line(error)}") from error
    if not contents:
        raise UserError("the form has no field named 'file'")
    return contents


def _content(part: Field | File) -> bytes:
    if isinstance(part, Field):
        return part.value or b""
    part.file_object.seek(0)
    return part.file_object.read()

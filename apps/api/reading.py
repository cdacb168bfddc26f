"""Parses request bodies into images: an image file, a form with several, or JSON arrays."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from apps import limits
from digits.core.errors import UserError, one_line
from digits.drawing.framing import SIDE
from digits.serving.image_file import Picture

JSON, FORM, FILE = "application/json", "multipart/form-data", "application/octet-stream"
FAINTEST = 16  # maximum of pixels that are on another scale, such as 0 to 1 or scikit-learn's 0 to 16
SHAPES = ((SIDE, SIDE), (SIDE, SIDE, 1), (SIDE * SIDE,))  # of one image


class LargeError(Exception):
    """The images have more pixels than may be decoded here."""


def media_type(content_type: str) -> str:
    """The media type in a Content-Type header; empty if it is not one that `drawings` reads."""
    kind = parse_options_header(content_type)[0].decode("latin-1")
    known = kind in (JSON, FORM, FILE) or kind.startswith("image/")
    return kind if known else ""


def drawings(content_type: str, content: bytes, pixels: int = limits.PIXELS) -> Iterator[np.ndarray]:
    """Decodes the images in a body one by one: all at once might not fit into memory.

    Args:
        content_type: the Content-Type header, of a type that `media_type` knows.
        content: the body.
        pixels: how many pixels image files may have together.

    Raises:
        UserError: the body is empty, does not match its content type, or holds too many images or pixels.
        LargeError: the image files have more than `pixels`.
    """
    kind = media_type(content_type)
    if kind == JSON:
        return iter(from_json(content))
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    pictures = [Picture(file) for file in (files(boundary, content) if kind == FORM else [content])]
    total = sum(picture.pixels for picture in pictures)
    if total > limits.PIXELS:
        raise UserError(f"images of {total / 1e6:.0f} megapixels; at most {limits.PIXELS // 10**6} a request are read")
    if total > pixels:
        raise LargeError
    return (picture.decode() for picture in pictures)


def from_json(content: bytes) -> list[np.ndarray]:
    """Parses images of 28x28 integers from 0 to 255: one, or a list.

    Returns:
        uint8 `[28, 28]` each.
    """
    try:
        values = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UserError(f"invalid JSON: {error}") from error
    shape = _shape(values)
    if shape not in SHAPES and shape[1:] not in SHAPES:
        raise UserError(f"JSON of shape {shape}; send an array of {SIDE}x{SIDE} integers, or a list of such arrays")
    count = 1 if shape in SHAPES else shape[0]
    if count > limits.IMAGES:
        raise UserError(f"too many images: {count}, at most {limits.IMAGES} a request")
    images = _integers(_flat(values, shape)).reshape(-1, SIDE, SIDE)
    for number, image in enumerate(images, start=1):
        if image.min() < image.max() <= FAINTEST:
            raise UserError(f"image {number}: no pixel is above {image.max()}; scale them to 0 to 255")
    return list(images)


def _shape(values: object) -> tuple[int, ...]:
    """The lengths of nested lists, of the first one at each level."""
    shape: list[int] = []
    while isinstance(values, list) and len(shape) < 5:
        shape.append(len(values))
        values = values[0] if values else None
    return tuple(shape)


def _flat(values: list[object], shape: tuple[int, ...]) -> list[object]:
    """Flattens nested lists, each of which must have the length that `shape` says for its level."""
    level: list[object] = [values]
    for length in shape:
        lists = [each for each in level if isinstance(each, list) and len(each) == length]
        if len(lists) < len(level):
            raise UserError(f"a ragged array: it begins as one of shape {shape}, but not all of its rows are as long")
        level = list(chain.from_iterable(lists))
    return level


def _integers(pixels: list[object]) -> np.ndarray:
    kinds = set(map(type, pixels))
    if kinds <= {int, float}:  # 1.0 is a whole number in JSON
        values = np.array(pixels, np.float64)
        if (values == np.floor(values)).all() and values.min() >= 0 and values.max() <= 255:
            return values.astype(np.uint8)
    raise UserError("invalid pixel: it must be an integer from 0 to 255")


def files(boundary: bytes, content: bytes) -> list[bytes]:
    """The contents of a form's fields named `file`, with or without a file name."""
    contents: list[bytes] = []

    def add(part: Field | File) -> None:
        if part.field_name != b"file":
            raise UserError("unexpected form field; all fields must be files named 'file'")
        if len(contents) == limits.IMAGES:
            raise UserError(f"too many files: at most {limits.IMAGES} a request")
        contents.append(_content(part))

    memory = {"MAX_MEMORY_FILE_SIZE": limits.BODY_BYTES}  # nothing goes to the disk
    try:
        parser = FormParser(FORM, add, add, boundary=boundary, config=memory)
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

"""From the body of a request to drawings: an image file, several in a form, or a JSON array."""

from collections.abc import AsyncGenerator

import numpy as np
import orjson
from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from apps.api.refusals import RefusedError
from digits import imagefile, ink
from digits.errors import UserError

LARGEST_BATCH = 64


async def drawings(request: Request, content: bytes) -> list[np.ndarray]:
    """The drawings in a body, by its content type.

    Raises:
        UserError: the body is not what its type says, or empty, or holds too many.
        RefusedError: no such type is read.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return from_json(content)
    if kind == "multipart/form-data":
        return await _from_form(request, content)
    if kind.startswith("image/") or kind == "application/octet-stream":
        return [imagefile.decode(content)]
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
    side = ink.SIDE
    if not isinstance(rows, list) or len(rows) != side or any(not isinstance(r, list) or len(r) != side for r in rows):
        raise UserError(f"an image is an array of {side} rows of {side} numbers each")
    try:
        return np.frombuffer(b"".join(map(bytes, rows)), np.uint8).reshape(side, side)
    except (TypeError, ValueError):
        pass
    values = [value for row in rows for value in row]
    if all(type(value) in (int, float) and value == int(value) and 0 <= value <= 255 for value in values):
        return np.array(values, np.uint8).reshape(side, side)  # 1.0 is a whole number in JSON
    raise UserError("a pixel is a whole number from 0 to 255")


async def _from_form(request: Request, content: bytes) -> list[np.ndarray]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield content

    try:
        form = await MultiPartParser(request.headers, stream(), max_files=LARGEST_BATCH, max_fields=0).parse()
    except (MultiPartException, MultipartParseError, KeyError, ValueError) as error:
        raise UserError(f"the form cannot be read: {getattr(error, 'message', error)}") from error
    files = [value for name, value in form.multi_items() if name == "file" and isinstance(value, UploadFile)]
    if not files:
        raise UserError("the form holds no file; it is expected under the name 'file'")
    return [imagefile.decode(await file.read()) for file in files]

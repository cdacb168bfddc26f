"""The OpenAPI description: text, request bodies and responses."""

from typing import Any

from apps import limits
from digits.drawing.framing import SIDE

DESCRIPTION = f"""Reads handwritten digits. `POST /predict` takes

- an image file as the body (`image/png`, `image/jpeg`, ...), or up to {limits.IMAGES} as fields `file` of a form: any
  size, dark on light or light on dark, one digit each;
- an image as a JSON array of {SIDE} rows of {SIDE} integers from 0 to 255, or a list of up to {limits.IMAGES} images;
  also as {SIDE * SIDE} integers in one row, or with a third dimension of length 1.

A picture of several digits gets the verdict `several digits` and their boxes; with `?each=true` each of them is read,
line by line from left to right. At most {limits.DIGITS} digits of a picture count, the most prominent ones.

A body has at most {limits.BODY_BYTES // limits.MB} MB ({limits.JSON_BYTES // 1024} kB of JSON), its image files
together at most {limits.PIXELS // 10**6} megapixels."""

EACH = "whether each digit of a picture is read: a prediction is then `digits`, a list of answers in reading order"

PATHS = ("/predict", "/health", "/metrics", "/", "/openapi.json")

_ROW = {"type": "array", "minItems": SIDE, "maxItems": SIDE}
_IMAGE = {**_ROW, "items": {**_ROW, "items": {"type": "integer", "minimum": 0, "maximum": 255}}}
_BATCH = {"type": "array", "minItems": 1, "maxItems": limits.IMAGES, "items": _IMAGE}
_FILE = {"type": "string", "format": "binary"}

PREDICT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [_IMAGE, _BATCH]}},
            "image/png": {"schema": _FILE},
            "image/jpeg": {"schema": _FILE},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {"file": {"type": "array", "minItems": 1, "maxItems": limits.IMAGES, "items": _FILE}},
                },
                "encoding": {"file": {"contentType": "image/png, image/jpeg"}},
            },
        },
    }
}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def _json(description: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}, **more}


_RETRY = {"headers": {"Retry-After": {"description": "seconds", "schema": {"type": "string"}}}}
_ERROR = _object({"detail": {"type": "string"}})
_BOX = {
    "type": "array",
    "minItems": 4,
    "maxItems": 4,
    "items": {"type": "number", "minimum": 0, "maximum": 1},
    "description": "of a digit: left, top, right and bottom, as shares of the image's width and height",
}
_ANSWER = _object(
    {
        "verdict": {"type": "string", "enum": ["sure", "not sure", "unknown", "nothing drawn", "several digits"]},
        "digit": {
            "type": "string",
            "nullable": True,
            "description": "null if the image shows no digit, nothing, or several digits",
        },
        "probabilities": {
            "type": "object",
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
            "description": "of each class; empty if the image shows nothing, or several digits",
        },
        "boxes": {"type": "array", "items": _BOX, "description": "of the digits, the most prominent first"},
    }
)
_PREDICTION = {"oneOf": [_ANSWER, _object({"digits": {"type": "array", "items": _ANSWER}})]}  # the second with `each`
_MODEL = {"type": "string", "description": "SHA-256 of the model file"}

PREDICT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _json(
        "A prediction for each image",
        _object({"model": _MODEL, "predictions": {"type": "array", "items": _PREDICTION}}),
    ),
    413: _json("Request body too large", _ERROR),
    415: _json("Unsupported content type", _ERROR),
    422: _json("Invalid request body", _ERROR),
    429: _json("Too many requests from this client", _ERROR, **_RETRY),
    503: _json("Too many requests wait", _ERROR, **_RETRY),
}
HEALTH_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _json(
        "The service is up",
        _object(
            {
                "status": {"type": "string", "enum": ["ok"]},
                "model": _MODEL,
                "recipe": {"type": "string"},
                "dataset": {"type": "string"},
                "test_accuracy": {"type": "number"},
            }
        ),
    )
}
METRICS_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus' text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
}

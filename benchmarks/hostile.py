"""Requests that are made to hurt the HTTP service, for load tests and tests: cheap to send, dear to answer."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

Request = tuple[str, bytes]  # content type and body
BOUNDARY = "frontier"
WIDEST = 16_383  # pixels of a WebP's side
TWENTY_FOUR_MEGAPIXELS = (WIDEST, 24_000_000 // WIDEST)


def requests() -> dict[str, Request]:
    """The requests by name."""
    webp = _file(Image.new("RGB", TWENTY_FOUR_MEGAPIXELS, "white"), "WEBP", lossless=True)
    return {
        "flat WebP of 24 megapixels": ("image/webp", webp),
        "form with 64 of them": form([webp] * 64),
        "PNG of 24 megapixels": ("image/png", _file(Image.new("L", (4_900, 4_890), 255), "PNG")),
        "16-bit PNG of 24 megapixels": (
            "image/png",
            _file(Image.fromarray(np.zeros((4_890, 4_900), np.uint16)), "PNG"),
        ),
        "form with 64 pictures of 0.37 megapixels": form([_file(Image.new("L", (610, 610), 255), "WEBP")] * 64),
        "PNG with 64 MB of text": ("image/png", png_with_text()),
        "JPEG of 2,000 scans": ("image/jpeg", jpeg_of_scans(2_000)),
        "GIF of 5,000 blank pictures": ("image/gif", gif_of_pictures(5_000)),
        "JSON of 8 MB": ("application/json", b"[" + b"0," * (4 * 2**20 - 1) + b"0]"),
        "JSON nested 100,000 deep": ("application/json", b"[" * 100_000),
        "JSON of 64 noisy images": ("application/json", json_of_noise()),
        "nothing": ("image/png", b""),
        "half a PNG": ("image/png", _file(Image.new("L", (600, 600), 255), "PNG")[:500]),
        "form without an end": (form([])[0], form([webp] * 64)[1][:-100]),
    }


def form(files: list[bytes]) -> Request:
    """A form with these files."""
    head = b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    parts = b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + head + file + b"\r\n" for file in files)
    return f"multipart/form-data; boundary={BOUNDARY}", parts + b"--" + BOUNDARY.encode() + b"--\r\n"


def png_with_text(chunks: int = 64) -> bytes:
    """A PNG file of some pixels whose compressed texts are unpacked to a megabyte each when it is opened."""
    text = png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**20 - 1), 9))
    plain = _file(Image.new("L", (28, 28), 255), "PNG")
    return plain[:33] + text * chunks + plain[33:]  # after the first chunk, the header


def png_chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def jpeg_of_scans(scans: int) -> bytes:
    """A progressive JPEG file of 0.5 megapixels whose last scan is repeated."""
    content = _file(Image.new("L", (700, 700), 255), "JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    return content[:start] + content[start:-2] * scans + content[-2:]


def gif_of_pictures(count: int) -> bytes:
    """An animated GIF file of blank pictures of 28x28 pixels."""
    content = _file(Image.new("L", (28, 28), 255), "GIF")
    start = content.index(b"\x2c", 13 + 3 * 2 ** ((content[10] & 7) + 1))
    return content[:start] + content[start:-1] * count + content[-1:]


def json_of_noise() -> bytes:
    """As many images as a request may hold, each of them noise."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 28, 28))
    return str(noise.tolist()).encode()


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


START = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
IMAGE = START + b"Content-Type: image/png\r\nContent-Length: %d\r\n\r\n"
CONNECTIONS: dict[str, Callable[[], bytes]] = {
    "silence": bytes,
    "half a header": lambda: START,
    "header of a megabyte": lambda: START + b"X: " + b"x" * 2**20,
    "half a body": lambda: IMAGE % 2 + b"1",
    "8 MB but for a byte": lambda: IMAGE % 2**23 + bytes(2**23 - 1),
}

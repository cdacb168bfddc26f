"""Decodes untrusted image files."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from digits.core.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_BYTES = 8 * 2**20
MAX_PIXELS = 24_000_000  # of a phone's photo; checked before any pixel is decoded


def decode(content: bytes) -> np.ndarray:
    """Decodes the first image of a file and applies its EXIF orientation.

    Args:
        content: a file in one of `FORMATS`, of at most `MAX_BYTES` bytes and `MAX_PIXELS` pixels.

    Returns:
        uint8 `[H, W]` grey, `[H, W, 3]` RGB or `[H, W, 4]` RGBA.

    Raises:
        UserError: the file has another format, is too large or is damaged.
    """
    if len(content) > MAX_BYTES:
        raise UserError(f"a file of {len(content) / 2**20:.1f} MB; at most {MAX_BYTES // 2**20} MB are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unusual metadata, which does not matter here
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                _check_size(*image.size)
                image.draft("RGB", (2048, 2048))  # decodes a large JPEG at a lower resolution
                return _pixels(ImageOps.exif_transpose(image))
    except UserError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds on damaged input
        raise UserError(f"no readable image; {', '.join(FORMATS)} are read") from error


def encode_png(pixels: np.ndarray) -> bytes:
    """A PNG file of an image, uint8 `[H, W]`, `[H, W, 3]` or `[H, W, 4]`."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UserError(f"an image of {width}x{height}; at most {MAX_PIXELS // 10**6} megapixels are read")


def _pixels(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):  # range unknown: use that of the values
        values = np.asarray(image, dtype=np.float64)
        values = np.nan_to_num(values - values.min())
        return np.asarray(np.round(values * (255 / max(values.max(), 1))), dtype=np.uint8)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    transparent = "A" in image.mode or "a" in image.mode or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if transparent else "RGB"))

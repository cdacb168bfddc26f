"""From the bytes of an image file to pixels, with care: they may come from anybody."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from digits.core.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_BYTES = 8 * 2**20
MAX_PIXELS = 24_000_000  # a telephone's photo; checked before any pixel is decoded


def decode(content: bytes) -> np.ndarray:
    """The first picture of an image file, turned as its EXIF data say.

    Args:
        content: a file of one of `FORMATS`, at most `MAX_BYTES` long and `MAX_PIXELS` large.

    Returns:
        uint8 `[H, W]` grey, `[H, W, 3]` RGB or `[H, W, 4]` RGBA.

    Raises:
        UserError: it is not such a file, or damaged.
    """
    if len(content) > MAX_BYTES:
        raise UserError(f"a file of {len(content) / 2**20:.1f} MB; at most {MAX_BYTES // 2**20} MB are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on odd metadata; the pixels are what counts
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                _check_size(*image.size)
                image.draft("RGB", (2048, 2048))  # a large JPEG is reduced while it is decoded
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
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):  # the range is not known: take what is there
        values = np.asarray(image, dtype=np.float64)
        values = np.nan_to_num(values - values.min())
        return np.asarray(np.round(values * (255 / max(values.max(), 1))), dtype=np.uint8)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    transparent = "A" in image.mode or "a" in image.mode or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if transparent else "RGB"))

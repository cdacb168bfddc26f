"""Decodes untrusted image files."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from digits.core.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_BYTES = 8 * 2**20
ENOUGH = 2048  # pixels a side; larger images are reduced, as memory and time go with their pixels
MAX_PIXELS = 24_000_000  # of a phone's photo; checked before any pixel is decoded


class Picture:
    """An image file whose header was read and checked, and whose pixels were not decoded.

    Args:
        content: a file in one of `FORMATS`, of at most `MAX_BYTES` bytes and `MAX_PIXELS` pixels.

    Raises:
        UserError: the file has another format, is too large or is damaged.
    """

    def __init__(self, content: bytes) -> None:
        if len(content) > MAX_BYTES:
            raise UserError(f"a file of over {MAX_BYTES // 2**20} MB; at most {MAX_BYTES // 2**20} MB are read")
        with _one_line_errors():
            self._image = Image.open(io.BytesIO(content), formats=FORMATS)
            _check_size(*self._image.size)

    @property
    def pixels(self) -> int:
        """Width times height."""
        width, height = self._image.size
        return width * height

    def decode(self) -> np.ndarray:
        """Decodes the first image, or the last where the first of several is blank, and applies its EXIF orientation.

        Returns:
            uint8 `[H, W]` grey, `[H, W, 3]` RGB or `[H, W, 4]` RGBA.

        Raises:
            UserError: the file is damaged.
        """
        with _one_line_errors(), self._image as image:
            image.draft("RGB", (ENOUGH, ENOUGH))  # decodes a large JPEG at a lower resolution
            pixels = _pixels(image)
            if getattr(image, "is_animated", False) and _blank(pixels):
                _seek_last(image)
                pixels = _pixels(image)
            return pixels


def decode(content: bytes) -> np.ndarray:
    """Decodes an image file: see `Picture`."""
    return Picture(content).decode()


def read(path: Path) -> bytes:
    """Reads a file no further than needed to find out that it is too large: it may be endless, as /dev/zero is."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def encode_png(pixels: np.ndarray) -> bytes:
    """A PNG file of an image, uint8 `[H, W]`, `[H, W, 3]` or `[H, W, 4]`."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unusual metadata, which does not matter here
            yield
    except (UserError, MemoryError):
        raise
    except Image.DecompressionBombError as error:  # Pillow's own limit
        raise UserError(f"too many pixels; at most {MAX_PIXELS // 10**6} megapixels are read") from error
    except Exception as error:  # Pillow's decoders raise many kinds on damaged input
        raise UserError(f"no readable image; {', '.join(FORMATS)} are read") from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UserError(f"an image of {width}x{height}; at most {MAX_PIXELS // 10**6} megapixels are read")


def _blank(pixels: np.ndarray) -> bool:
    return bool((pixels == pixels[0, 0]).all())


def _seek_last(image: Image.Image) -> None:
    """Goes to the last of several images; an animation's are made of those before, so all of them are decoded."""
    count, (width, height) = getattr(image, "n_frames", 1), image.size
    if count * width * height > MAX_PIXELS:
        megapixels = MAX_PIXELS // 10**6
        raise UserError(
            f"{count} images of {width}x{height}, the first of them blank; at most {megapixels} megapixels are read"
        )
    image.seek(count - 1)
    _check_size(*image.size)


def _pixels(image: Image.Image) -> np.ndarray:
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    # Of deeper images the range is not known: that of the values is stretched.
    if image.mode.startswith("I;16"):
        deep = np.asarray(image, dtype=np.uint16)
        levels = np.arange(2**16, dtype=np.float64) - deep.min()
        return np.asarray(np.round(levels * (255 / max(levels[deep.max()], 1))), dtype=np.uint8)[deep]
    if image.mode in ("I", "F"):
        values = np.asarray(_reduced(image), dtype=np.float64)
        values = np.nan_to_num(values - values.min())
        return np.asarray(np.round(values * (255 / max(values.max(), 1))), dtype=np.uint8)
    return np.asarray(_reduced(_in_mode(image)))


def _in_mode(image: Image.Image) -> Image.Image:
    """Converts to grey, RGB or RGBA."""
    transparent = "A" in image.mode or "a" in image.mode or "transparency" in image.info
    mode = "L" if image.mode in ("1", "L") else "RGBA" if transparent else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _reduced(image: Image.Image) -> Image.Image:
    """Reduces an image to less than twice `ENOUGH` pixels a side: each becomes the mean of those that it replaces."""
    factor = max(image.size) // ENOUGH
    return image.reduce(factor) if factor > 1 else image

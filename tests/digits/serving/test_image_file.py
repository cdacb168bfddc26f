import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digits.core.errors import UserError
from digits.serving import image_file

FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"]


def picture(mode="L", size=(40, 30)):
    """A dark bar on the left of light paper: which side it is on can be told after any compression."""
    pixels = np.full((size[1], size[0]), 230, np.uint8)
    pixels[:, : size[0] // 4] = 20
    return Image.fromarray(pixels).convert(mode)


def file_of(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def grey(pixels):
    return pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=-1)


def bar_on_the_left(pixels, width=40):
    return grey(pixels)[:, : width // 4 - 2].max() < 60 and grey(pixels)[:, width // 4 + 2 :].min() > 190


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_format_is_read(kind, mode):
    decoded = image_file.decode(file_of(picture(mode), kind))
    assert decoded.dtype == np.uint8
    assert decoded.shape[:2] == (30, 40)
    assert bar_on_the_left(decoded)


def test_the_formats_are_those_that_are_named():
    assert sorted(image_file.FORMATS) == sorted(FORMATS)
    for kind in ("PPM", "PCX", "ICO"):
        with pytest.raises(UserError, match="no readable image; PNG, JPEG, "):
            image_file.decode(file_of(picture("RGB"), kind))


def test_grey_stays_grey_and_exact():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9), np.uint8)
    decoded = image_file.decode(file_of(Image.fromarray(pixels), "PNG"))
    np.testing.assert_array_equal(decoded, pixels)


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3), (7, 9, 4)])
def test_an_encoded_png_decodes_to_the_same_pixels(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    content = image_file.encode_png(pixels)
    assert content.startswith(b"\x89PNG")
    np.testing.assert_array_equal(image_file.decode(content), pixels)


def test_black_and_white_is_grey():
    decoded = image_file.decode(file_of(picture("1"), "PNG"))
    assert decoded.shape == (30, 40)
    assert set(np.unique(decoded)) == {0, 255}


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_a_palette_is_looked_up(kind):
    image = picture("RGB").quantize(4)
    image.putpalette([200, 220, 240, 10, 30, 50, 0, 0, 0, 0, 0, 0])
    decoded = image_file.decode(file_of(image, kind))
    assert decoded.shape == (30, 40, 3)
    assert {tuple(colour) for colour in decoded.reshape(-1, 3).tolist()} == {(200, 220, 240), (10, 30, 50)}


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_is_transparent(kind):
    image = Image.fromarray((np.arange(40)[None] < 10).repeat(30, axis=0).astype(np.uint8), "L").convert("P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    decoded = image_file.decode(file_of(image, kind, transparency=0))
    assert decoded.shape == (30, 40, 4)
    assert (decoded[:, :10, 3] == 255).all()
    assert (decoded[:, 10:, 3] == 0).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_kept(kind):
    image = picture("RGBA")
    image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))))
    decoded = image_file.decode(file_of(image, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})))
    np.testing.assert_array_equal(decoded, np.asarray(image))


def test_grey_with_transparency_becomes_rgba():
    image = picture("LA")
    image.putalpha(128)
    decoded = image_file.decode(file_of(image, "PNG"))
    assert decoded.shape == (30, 40, 4)
    assert set(np.unique(decoded[..., 3])) == {128}


@pytest.mark.parametrize(("mode", "kind"), [("I;16", "PNG"), ("I;16", "TIFF"), ("I", "TIFF"), ("F", "TIFF")])
@pytest.mark.parametrize("largest", [4095, 65535])
def test_deep_images_are_stretched_over_what_is_there(mode, kind, largest):
    values = np.full((30, 40), largest)
    values[:, :10] = 100
    values[:, 10:20] = (largest + 100) // 2
    image = Image.fromarray(values.astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]))
    assert image.mode == mode
    decoded = image_file.decode(file_of(image, kind))
    assert decoded.dtype == np.uint8
    assert [int(decoded[0, column]) for column in (0, 15, 39)] == pytest.approx([0, 127, 255], abs=1)


def test_numbers_that_are_none_do_no_harm():
    values = np.tile(np.linspace(0, 1, 40, dtype=np.float32), (30, 1))
    values[0, :3] = np.nan, np.inf, -np.inf
    assert image_file.decode(file_of(Image.fromarray(values), "TIFF")).shape == (30, 40)


def test_a_jpeg_in_printers_colours():
    decoded = image_file.decode(file_of(picture("CMYK"), "JPEG"))
    assert decoded.shape == (30, 40, 3)
    assert bar_on_the_left(decoded)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (6, lambda a: np.rot90(a, -1)),
        (8, lambda a: np.rot90(a, 1)),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_a_photo_is_turned_as_the_camera_was_held(kind, orientation, turn):
    image = picture("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = image_file.decode(file_of(image, kind, exif=exif))
    expected = turn(np.asarray(image)[..., 0])
    assert decoded.shape[:2] == expected.shape
    assert np.abs(grey(decoded) - expected).mean() < 10


def test_of_an_animation_the_first_picture_is_taken():
    first, second = picture("L"), picture("L").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    content = file_of(first, "GIF", save_all=True, append_images=[second], duration=100)
    assert bar_on_the_left(image_file.decode(content))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
@pytest.mark.parametrize("count", [2, 5])
def test_of_an_animation_that_begins_blank_the_last_picture_is_taken(kind, count):
    blank, turned = Image.new("L", (40, 30), 230), picture("L").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    images = [blank] * (count - 2) + [turned, picture("L")]
    content = file_of(blank, kind, save_all=True, append_images=images[-count + 1 :], duration=100)
    assert bar_on_the_left(image_file.decode(content))


def test_an_animation_that_begins_blank_has_the_pixels_of_one_picture(monkeypatch):
    blank = Image.new("L", (40, 30), 230)
    content = file_of(blank, "GIF", save_all=True, append_images=[picture("L"), blank, picture("L")], duration=100)
    image_file.decode(content)
    monkeypatch.setattr(image_file, "MAX_PIXELS", 4 * 40 * 30 - 1)
    with pytest.raises(UserError, match="4 images of 40x30, the first of them blank; at most 0 megapixels are read"):
        image_file.decode(content)


def test_a_later_picture_may_not_be_larger(monkeypatch):
    content = file_of(Image.new("L", (4, 3)), "TIFF", save_all=True, append_images=[picture("L", (400, 300))])
    monkeypatch.setattr(image_file, "MAX_PIXELS", 1000)
    with pytest.raises(UserError, match="an image of 400x300"):
        image_file.decode(content)


def test_the_pixels_are_known_before_any_is_decoded(monkeypatch):
    content = file_of(picture("RGB"), "PNG")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("decoded"))
    assert image_file.Picture(content).pixels == 40 * 30


def test_a_large_jpeg_is_reduced_while_it_is_read():
    large = picture("RGB", (4200, 4100))
    decoded = image_file.decode(file_of(large, "JPEG"))
    assert max(decoded.shape) <= 2100
    assert bar_on_the_left(decoded, decoded.shape[1])


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_truncated_file_is_refused_or_read_as_far_as_it_goes(kind, share):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = file_of(Image.fromarray(pixels), kind)
    content = content[: int(share * len(content))]
    with pytest.raises(UserError, match="no readable image"):
        image_file.decode(content)


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 100, b"hello", b"<svg/>", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"BM", b"\xff\xd8\xff"]
)
def test_what_is_no_image_is_refused(content):
    with pytest.raises(UserError, match="no readable image") as caught:
        image_file.decode(content)
    assert "\n" not in str(caught.value)


def png_of_zeros(width, height):
    """Some kilobytes that unpack to any size."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = zlib.compress(bytes(min((width + 1) * height, 10**7)), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (6000, 4001), (2**31 - 1, 2**31 - 1), (24_000_001, 1)])
def test_a_bomb_is_refused_before_it_is_unpacked(width, height, monkeypatch):
    def unpack(*_):
        raise AssertionError("no pixel may be decoded")

    monkeypatch.setattr(Image.Image, "load", unpack)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpack)
    content = png_of_zeros(width, height)
    assert len(content) < image_file.MAX_BYTES
    with pytest.raises(
        UserError, match=r"(an image of \d+x\d+|too many pixels); at most 24 megapixels are read|no readable"
    ):
        image_file.decode(content)


def test_the_largest_image_that_is_read():
    decoded = image_file.decode(png_of_zeros(4000, 2400))
    assert decoded.shape == (2400, 4000)


def test_too_many_bytes_are_not_looked_at(monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("looked at"))
    with pytest.raises(UserError, match=r"a file of over 8 MB; at most 8 MB are read"):
        image_file.decode(bytes(image_file.MAX_BYTES + 1))


def test_no_warning_escapes():
    # EXIF data that are cut off, a palette whose transparency is given in bytes, a size that Pillow itself warns of.
    exif = Image.Exif()
    exif[0x010F] = "maker"
    damaged = file_of(picture("RGB"), "JPEG", exif=exif.tobytes()[:-4])
    bytes_of_transparency = file_of(picture("RGB").quantize(4), "PNG", transparency=b"\x00\x80")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image_file.decode(damaged)
        image_file.decode(bytes_of_transparency)
        with pytest.raises(UserError):
            image_file.decode(png_of_zeros(10_000, 10_000))
    assert not caught


def test_an_endless_file_is_read_as_far_as_needed(tmp_path):
    (tmp_path / "small").write_bytes(b"abc")
    assert image_file.read(tmp_path / "small") == b"abc"
    assert len(image_file.read(Path("/dev/zero"))) == image_file.MAX_BYTES + 1


def test_memory_that_does_not_suffice_is_not_taken_for_a_damaged_file(monkeypatch):
    def full(*_):
        raise MemoryError

    picture_of_it = image_file.Picture(file_of(picture(), "PNG"))
    monkeypatch.setattr(image_file, "_pixels", full)
    with pytest.raises(MemoryError):
        picture_of_it.decode()

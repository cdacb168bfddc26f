import subprocess
import sys

import numpy as np
import pytest
from PIL import ExifTags, Image

from apps import limits, steps
from apps.api import reading
from apps.api.decoding import Reply, pack, reply, unpack, unpack_steps
from benchmarks import hostile
from digits.drawing import framing
from digits.drawing.framing import Digit
from tests.apps.conftest import encoded, side_by_side
from tests.conftest import ROOT

FRAME = np.arange(784, dtype=np.uint8).reshape(28, 28)


def same(digit, other):
    """A box has single precision, which is finer than a pixel."""
    return np.array_equal(digit.frame, other.frame) and digit.box == pytest.approx(other.box, abs=1e-6)


def test_digits_are_packed_and_unpacked():
    first, second = Digit(FRAME, (0.1, 0.2, 0.3, 1.0)), Digit(255 - FRAME, (0.0, 0.25, 0.5, 0.75))
    pictures = [[first], [], [second, first], []]
    unpacked = unpack(b"".join(map(pack, pictures)))
    assert [len(digits) for digits in unpacked] == [1, 0, 2, 0]
    for digits, others in zip(unpacked, pictures, strict=True):
        assert all(map(same, digits, others))
    assert unpack(b"") == []


def test_a_picture_with_more_digits_than_are_kept_is_answered(three):
    rows = [side_by_side(*[three] * 7, height=100, gap=40)] * 6
    kind, payload = reply("image/png", encoded(np.concatenate(rows)), limits.PIXELS)
    [digits] = unpack(payload)
    assert (kind, len(digits)) == (Reply.DIGITS, limits.DIGITS)


def test_the_digits_of_each_image_are_found(three, line):
    images = [three, line, np.full((9, 9), 255, np.uint8)]
    kind, payload = reply(*hostile.form(list(map(encoded, images))), limits.PIXELS)
    unpacked = unpack(payload)
    assert kind == Reply.DIGITS
    assert [len(digits) for digits in unpacked] == [1, 3, 0]
    for digits, image in zip(unpacked, images, strict=True):
        assert all(map(same, digits, framing.find(image)))


# A JPEG is decoded at a lower resolution, a PNG is reduced before its digits are found.
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_boxes_are_shares_of_a_picture_that_is_reduced_while_it_is_decoded(line, kind):
    large = np.asarray(Image.fromarray(line).resize((5001, 5001 * line.shape[0] // line.shape[1])))
    [digits] = unpack(reply(f"image/{kind.lower()}", encoded(large, kind), limits.PIXELS)[1])
    boxes = sorted(digit.box for digit in digits)
    ink = np.flatnonzero((line < 128).any(axis=0)) / line.shape[1]
    starts = ink[[0, *(np.flatnonzero(np.diff(ink) > 0.02) + 1)]]
    assert [box[0] for box in boxes] == pytest.approx(starts, abs=0.02)
    assert boxes[-1][2] == pytest.approx(ink[-1], abs=0.02)


def test_boxes_are_those_of_the_picture_as_it_is_looked_at(line):
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6  # to be turned by 90 degrees clockwise
    [digits] = unpack(reply("image/png", encoded(np.rot90(line).copy(), exif=turned), limits.PIXELS)[1])
    assert all(map(same, digits, framing.find(line)))


def test_what_is_no_image_is_refused_with_the_reason():
    kind, payload = reply("image/png", b"hello", limits.PIXELS)
    assert kind == Reply.REFUSED
    assert payload.startswith(b"no readable image; PNG")


@pytest.mark.parametrize("name", ["three", "line"])
def test_steps_are_packed_and_unpacked(name, request):
    picture = request.getfixturevalue(name)
    kind, payload = reply(reading.FILE, encoded(picture), limits.PIXELS, with_steps=True)
    taken, expected = unpack_steps(payload), steps.of(picture)
    assert kind == Reply.STEPS
    assert (taken.picture, taken.ink) == (expected.picture, expected.ink)
    assert all(map(same, taken.digits, expected.digits))
    assert len(taken.digits) == len(expected.digits)


def test_with_steps_the_same_is_refused(three):
    for content, pixels in ((b"hello", limits.PIXELS), (encoded(three), three.size - 1)):
        assert reply(reading.FILE, content, pixels, with_steps=True) == reply(reading.FILE, content, pixels)


def test_more_pixels_than_the_worker_takes_are_for_another(three):
    assert reply("image/png", encoded(three), three.size - 1) == (Reply.LARGE, b"")
    assert reply("image/png", encoded(three), three.size)[0] == Reply.DIGITS


def test_too_little_memory_is_told(three, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(reading.Picture, "decode", full)
    kind, payload = reply("image/png", encoded(three), limits.PIXELS)
    assert kind == Reply.REFUSED
    assert payload == b"the images need too much memory; send smaller ones"


@pytest.mark.parametrize("name", ["tensorflow", "keras", "starlette", "fastapi", "uvicorn", "ai_edge_litert"])
def test_a_worker_is_small(name):
    code = f"import sys, apps.api.decoding; print({name!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"

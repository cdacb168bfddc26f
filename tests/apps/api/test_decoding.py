import subprocess
import sys

import numpy as np
import pytest

from apps import limits
from apps.api import decoding, reading
from apps.api.decoding import Reply, pack, reply, unpack
from benchmarks import hostile
from digits.drawing import framing
from tests.apps.conftest import encoded
from tests.conftest import ROOT


def test_frames_are_packed_and_unpacked():
    frame = np.arange(784, dtype=np.uint8).reshape(28, 28)
    found = unpack(pack(frame) + pack(None) + pack(255 - frame))
    assert np.array_equal(found[0], frame)
    assert found[1] is None
    assert np.array_equal(found[2], 255 - frame)
    assert len(pack(None)) == len(pack(frame)) == decoding.FRAME_BYTES


def test_images_become_frames(three):
    kind, payload = reply(*hostile.form([encoded(three), encoded(np.full((9, 9), 255, np.uint8))]), limits.PIXELS)
    drawn, empty = unpack(payload)
    assert kind == Reply.FRAMES
    assert np.array_equal(drawn, framing.frame(three))
    assert empty is None


def test_what_is_no_image_is_refused_with_the_reason():
    kind, payload = reply("image/png", b"hello", limits.PIXELS)
    assert kind == Reply.REFUSED
    assert payload.startswith(b"no readable image; PNG")


def test_more_pixels_than_the_worker_takes_are_for_another(three):
    assert reply("image/png", encoded(three), three.size - 1) == (Reply.LARGE, b"")
    assert reply("image/png", encoded(three), three.size)[0] == Reply.FRAMES


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

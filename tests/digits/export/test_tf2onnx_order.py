import functools
import zlib

import keras
from tf2onnx.graph import Node

from digits.export import formats


def hash_of(node, attribute):
    return zlib.crc32(getattr(node, attribute).encode())


def test_onnx_has_the_same_bytes_in_whatever_order_memory_was_given(tmp_path, monkeypatch):
    # tf2onnx keeps nodes in sets, which Python orders by address: here by name, and with all nodes of a type together.
    pixels = keras.Input((28, 28, 1), dtype="uint8")
    pooled = keras.layers.AveragePooling2D(4)(keras.layers.Rescaling(1 / 255)(pixels))
    model = keras.Model(pixels, keras.layers.Dense(10, "softmax")(keras.layers.Flatten()(pooled)))
    contents = []
    for order in ("name", "type"):
        monkeypatch.setattr(Node, "__hash__", functools.partialmethod(hash_of, order))
        formats.write_onnx(tmp_path / "model.onnx", model)
        contents.append((tmp_path / "model.onnx").read_bytes())
    assert contents[0] == contents[1]

"""Converts a trained network to other formats: SavedModel, LiteRT in floating point and int8, ONNX.

Each takes raw pixels and returns probabilities, as the Keras model does. The first export of a process has the same
bytes for the same network; later ones differ, because TensorFlow numbers its names within a process.
"""

import hashlib
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2

from digits.core import files
from digits.core.errors import UserError, one_line
from digits.export import tf2onnx_order
from digits.models import provenance

Record = Mapping[str, Any] | None  # of where the network comes from, for `digits.models.provenance.read`


class Served(tf.Module):
    """A network as a `tf.Module`: its variables, in order, and its prediction function.

    Keras' own export stores the variables in a set, whose order changes from run to run.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.weights = [variable.value for variable in model.variables]
        pixels = tf.TensorSpec([None, *model.input.shape[1:]], model.input.dtype, name="pixels")
        self.predict = tf.function(
            lambda pixels: {"probabilities": model(pixels, training=False)}, input_signature=[pixels]
        ).get_concrete_function()

    def save(self, path: Path) -> None:
        """Writes a SavedModel with one signature, `serving_default`."""
        tf.saved_model.save(self, str(path), signatures={"serving_default": self.predict})


def write_saved_model(path: Path, model: keras.Model, record: Record = None) -> None:
    """Writes a SavedModel, whose signature `serving_default` takes `pixels` and returns `probabilities`.

    See https://www.tensorflow.org/guide/saved_model. The fingerprint's identifier is a hash of the content;
    TensorFlow's own is random.
    """
    with files.replacing(path) as partial:
        Served(model).save(partial)
        file = partial / "fingerprint.pb"
        fingerprint = fingerprint_pb2.FingerprintDef.FromString(file.read_bytes())
        content = b"".join(part.read_bytes() for part in sorted(partial.rglob("*")) if part.is_file() and part != file)
        fingerprint.uuid = str(int(hashlib.sha256(content).hexdigest()[:32], 16))
        file.write_bytes(fingerprint.SerializeToString(deterministic=True))
        if record is not None:
            files.write_text(partial / provenance.EXTRAS / provenance.MEMBER, provenance.dump(record))


def write_litert(path: Path, model: keras.Model, record: Record = None) -> None:
    """Writes a file for LiteRT (formerly TensorFlow Lite) with built-in operations only."""
    _write_litert(path, _convert(model), record)


def write_litert_int8(path: Path, model: keras.Model, representative: np.ndarray, record: Record = None) -> None:
    """Writes a LiteRT file quantized to 8-bit integers: uint8 pixels in, uint8 probabilities in 1/256 out.

    Args:
        path: the file.
        model: from uint8 `[N, H, W, C]` to probabilities.
        representative: uint8 `[M, H, W, C]`, training images that calibrate the range of each layer
            (https://ai.google.dev/edge/litert/models/post_training_quantization).
        record: of where the network comes from.

    Raises:
        UserError: the network has an operation that does not exist in integers.
    """
    # With float32 input, because a cast from uint8 would remain a floating-point operation. As the pixels range from 0
    # to 255, the quantized input takes raw bytes.
    _write_litert(path, _convert(_with_float_input(model), representative), record)


def _with_float_input(model: keras.Model) -> keras.Model:
    """Returns a copy of a network that takes float32 pixels; the networks nested in it do, too."""

    def changed(config: Any) -> Any:
        if isinstance(config, dict):
            config = {name: changed(value) for name, value in config.items()}
            if config.get("class_name") == "InputLayer":
                config["config"]["dtype"] = "float32"
        return [changed(value) for value in config] if isinstance(config, list | tuple) else config

    copy = type(model).from_config(changed(model.get_config()))
    copy.set_weights(model.get_weights())
    return copy


def write_onnx(path: Path, model: keras.Model, record: Record = None) -> None:
    """Writes a file for ONNX Runtime and others (https://onnx.ai), from `pixels` to `probabilities`."""
    with files.replacing(path) as partial:
        tf2onnx_order.keep()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # Keras uses a deprecated name of NumPy
            model(np.zeros((1, *model.input.shape[1:]), np.uint8))  # Keras exports only a model that was called
            model.export(partial, format="onnx", verbose=False)
        content = onnx.load(str(partial))
        content.graph.ClearField("doc_string")  # contains a running number
        _rename(content.graph)
        if record is not None:
            onnx.helper.set_model_props(content, {provenance.KEY: provenance.dump(record)})
        partial.write_bytes(content.SerializeToString(deterministic=True))


def _rename(graph: onnx.GraphProto) -> None:
    """Numbers the tensors in order of appearance; the converter's own numbers change from run to run."""
    names = {graph.input[0].name: "pixels", graph.output[0].name: "probabilities", "": ""}

    def renamed(name: str) -> str:
        return names.setdefault(name, f"tensor{len(names) - 3}")

    for number, node in enumerate(graph.node):
        inputs, outputs = ([renamed(name) for name in ends] for ends in (node.input, node.output))
        node.name = f"node{number}"
        del node.input[:], node.output[:]
        node.input.extend(inputs)
        node.output.extend(outputs)
    for tensor in (*graph.initializer, *graph.value_info, *graph.input, *graph.output):
        tensor.name = renamed(tensor.name)
    for end in (graph.input[0], graph.output[0]):
        end.type.tensor_type.shape.dim[0].dim_param = "batch"
    initializers = sorted(graph.initializer, key=lambda tensor: tensor.name)
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(initializers)


def _write_litert(path: Path, content: bytes, record: Record) -> None:
    with files.replacing(path) as partial:
        partial.write_bytes(content)
        if record is not None:
            provenance.append(partial, record)


def _convert(model: keras.Model, representative: np.ndarray | None = None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Served(model).save(Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if representative is not None:

            def examples() -> Iterator[list[np.ndarray]]:
                for image in representative:
                    yield [image[None].astype(np.float32)]

            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = examples
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.uint8
        try:
            return bytes(converter.convert())
        except Exception as error:  # the converter raises several classes, with messages of many lines
            reason = one_line(error)
            raise UserError(f"the network cannot be converted to LiteRT: {reason}") from error

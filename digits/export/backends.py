"""Runs a model file with its runtime; only `.keras` files and SavedModels need TensorFlow."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from digits.core.errors import UserError, one_line

Network = Callable[[np.ndarray], np.ndarray]  # uint8 [N, H, W, C] -> probabilities float32 [N, classes]


def load(path: Path, threads: int = 2) -> Network:
    """Loads a model as a function from images, uint8 `[N, H, W, C]`, to probabilities, float32 `[N, classes]`.

    Args:
        path: a `.keras`, `.tflite` or `.onnx` file, or the folder of a SavedModel.
        threads: for one call, if the runtime has this setting.

    Raises:
        UserError: the file is damaged or has another format.
        FileNotFoundError: there is no such file.
    """
    if not path.exists():
        path.open("rb")
    kind = "saved_model" if path.is_dir() else path.suffix
    if kind not in LOADERS:
        raise UserError(
            f"{path}: no model file; these can be run: .keras, .tflite, .onnx, or the folder of a SavedModel"
        )
    try:
        return LOADERS[kind](path, threads)
    except UserError:
        raise
    except Exception as error:  # each runtime has its own exceptions
        reason = one_line(error)
        raise UserError(f"{path}: not readable as a model ({reason}); run `dvc repro -f export`") from error


def _keras(path: Path, threads: int) -> Network:
    import tensorflow as tf

    from digits.models import keras_file

    model = keras_file.load(path)
    signature = [tf.TensorSpec([None, *model.input.shape[1:]], tf.uint8)]
    predict = tf.function(lambda images: model(images, training=False), input_signature=signature)
    return lambda images: np.asarray(predict(tf.constant(images)))


def _saved_model(path: Path, threads: int) -> Network:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    predict = loaded.signatures["serving_default"]
    predict.keep = loaded  # the signature alone does not keep the variables alive
    return lambda images: np.asarray(predict(pixels=tf.constant(images))["probabilities"])


def _litert(path: Path, threads: int) -> Network:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads)
    input_details, output_details = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = output_details["quantization"]

    def predict(images: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(input_details["index"], images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(input_details["index"], images)
        interpreter.invoke()
        output = interpreter.get_tensor(output_details["index"])
        if not scale:
            return np.asarray(output)
        probabilities = (output.astype(np.float32) - zero_point) * scale
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))  # quantized ones do not sum to 1

    interpreter.allocate_tensors()
    return predict


def _onnx(path: Path, threads: int) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda images: np.asarray(session.run(["probabilities"], {"pixels": images})[0])


LOADERS: dict[str, Callable[[Path, int], Network]] = {
    ".keras": _keras,
    "saved_model": _saved_model,
    ".tflite": _litert,
    ".onnx": _onnx,
}

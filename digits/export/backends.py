"""Runs a model file with the runtime that it is made for; only Keras' and TensorFlow's own need TensorFlow."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from digits.core.errors import UserError, one_line

Network = Callable[[np.ndarray], np.ndarray]  # uint8 [N, H, W, C] -> probabilities float32 [N, classes]


def load(path: Path, threads: int = 2) -> Network:
    """What the file at `path` answers to images, uint8 `[N, H, W, C]`: probabilities, float32 `[N, classes]`.

    Args:
        path: a `.keras`, `.tflite` or `.onnx` file, or the folder of a SavedModel.
        threads: of one call, where the runtime lets them be chosen.

    Raises:
        UserError: the file is damaged, or of none of these kinds.
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
    except Exception as error:  # each runtime has errors of its own
        reason = one_line(error)
        raise UserError(f"{path}: not readable as a model ({reason}); run `dvc repro -f export`") from error


def _keras(path: Path, threads: int) -> Network:
    import tensorflow as tf

    from digits.models import keras_file

    model = keras_file.load(path)
    signature = [tf.TensorSpec([None, *model.input.shape[1:]], tf.uint8)]
    answer = tf.function(lambda images: model(images, training=False), input_signature=signature)
    return lambda images: np.asarray(answer(tf.constant(images)))


def _saved_model(path: Path, threads: int) -> Network:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    answer = loaded.signatures["serving_default"]
    answer.keep = loaded  # the signature alone does not keep the variables alive
    return lambda images: np.asarray(answer(pixels=tf.constant(images))["probabilities"])


def _litert(path: Path, threads: int) -> Network:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads)
    given, answered = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = answered["quantization"]

    def answer(images: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(given["index"], images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], images)
        interpreter.invoke()
        found = interpreter.get_tensor(answered["index"])
        if not scale:
            return np.asarray(found)
        probabilities = (found.astype(np.float32) - zero) * scale
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))  # rounding left some over

    interpreter.allocate_tensors()
    return answer


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

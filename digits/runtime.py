"""The settings of TensorFlow that a result depends on, besides the code, the data and the kind of processor."""

import os
import platform
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf


def configure(threads: int, precision: str = "float32") -> None:
    """Fixes the thread count and asks every operation for its deterministic implementation.

    Sums are split by the *configured* number of threads, not by the cores present: with the same number the weights
    are the same on any machine of the same kind of processor. To be called before TensorFlow does anything else.

    Args:
        threads: of one operation, and of operations side by side.
        precision: of networks built from now on, in Keras' terms: `float32`, or `mixed_bfloat16` for products in
            bfloat16 with weights in float32.
    """
    keras.config.set_floatx("float32")  # ~/.keras/keras.json may say otherwise
    keras.config.set_dtype_policy(precision)
    keras.config.set_image_data_format("channels_last")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()


def strategy(name: str) -> tf.distribute.Strategy:
    """How a training is spread: `one_device`, or `mirrored`, a part of each batch on each of this machine's GPUs.

    Networks are to be built and trained in its `scope()`.
    """
    if name == "one_device":
        return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def machine() -> dict[str, Any]:
    """What the seconds were measured on."""
    processor = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        processor = models[0] if models else processor
    return {"processor": processor, "cores": os.cpu_count(), "python": platform.python_version()}

"""TensorFlow's settings that a result depends on, besides the code, the data and the kind of processor."""

import keras
import tensorflow as tf


def configure(threads: int, precision: str = "float32") -> None:
    """Sets the thread count, the precision and deterministic operations.

    Sums are split by the *configured* number of threads, not by the cores present: with the same number, the weights
    are the same on any machine with the same kind of processor. Must be called before any other use of TensorFlow.

    Args:
        threads: within one operation, and of operations that run in parallel.
        precision: of networks built from now on, in Keras' terms: `float32`, or `mixed_bfloat16` for products in
            bfloat16 with weights in float32.
    """
    keras.config.set_floatx("float32")  # overrides ~/.keras/keras.json
    keras.config.set_dtype_policy(precision)
    keras.config.set_image_data_format("channels_last")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()

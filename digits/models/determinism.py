"""The settings of TensorFlow that a result depends on, besides the code, the data and the kind of processor."""

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

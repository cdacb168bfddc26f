"""TensorFlow's settings that a result depends on, besides the code and the data."""

import os

import keras
import tensorflow as tf

from digits.params import Processor


def configure(processor: Processor, precision: str = "float32") -> None:
    """Sets instructions, thread count, precision and deterministic operations.

    oneDNN, which computes convolutions and matrix products, otherwise takes the newest instructions of the processor,
    and these sum in another order (https://uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html).
    `digits/__init__.py` sets that TensorFlow uses oneDNN at all. Sums are split by the *configured* number of threads,
    not by the cores present. With the same settings the weights are the same on any x86-64 processor with AVX2 (Intel
    since 2013, AMD since 2015). Must be called before any other use of TensorFlow.

    Args:
        processor: threads within one operation, and of operations that run in parallel; `avx2` or `all` instructions.
        precision: of networks built from now on, in Keras' terms: `float32`, or `mixed_bfloat16` for products in
            bfloat16 with weights in float32.
    """
    os.environ["ONEDNN_MAX_CPU_ISA"] = {"avx2": "AVX2", "all": "DEFAULT"}[processor.instructions]
    keras.config.set_floatx("float32")  # overrides ~/.keras/keras.json
    keras.config.set_dtype_policy(precision)
    keras.config.set_image_data_format("channels_last")
    tf.config.threading.set_intra_op_parallelism_threads(processor.threads)
    tf.config.threading.set_inter_op_parallelism_threads(processor.threads)
    tf.config.experimental.enable_op_determinism()

"""TensorFlow's settings that a result depends on, besides the code and the data."""

import os
import platform
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits.params import Processor

CPU_INFO = Path("/proc/cpuinfo")
# Instructions for which oneDNN has kernels of their own, the newest first, in the words of /proc/cpuinfo.
INSTRUCTIONS = ("amx_bf16", "avx512_fp16", "avx512_bf16", "avx512_vnni", "avx512f", "avx_vnni", "avx2", "avx", "sse4_1")


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


def describe(processor: Processor) -> dict[str, Any]:
    """Returns what else a training depends on: the class of the processor, the threads, the versions of the libraries.

    The class names the instructions that are used, not those that the processor has: where they are capped at AVX2,
    every processor with AVX2 is of one class.
    """
    return {
        "processor": {"class": processor_class(processor), "threads": processor.threads},
        "versions": {"keras": keras.__version__, "numpy": np.__version__, "tensorflow": tf.__version__},
    }


def processor_class(processor: Processor) -> str:
    """Returns the class, such as `x86_64 with avx2`; a GPU by its name and what it can compute."""
    if gpus := tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpus[0])
        return f"{details.get('device_name', 'GPU')}, compute capability {details.get('compute_capability', 'unknown')}"
    info = CPU_INFO.read_text(encoding="utf-8") if CPU_INFO.exists() else ""
    known = INSTRUCTIONS[INSTRUCTIONS.index("avx2") :] if processor.instructions == "avx2" else INSTRUCTIONS
    used = next((name for name in known if name in info.split()), None)
    return f"{platform.machine()} with {used}" if used else platform.machine()

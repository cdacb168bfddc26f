import keras
import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled  # not public, and the only way to ask

from digits.models import determinism
from digits.params import load
from tests.conftest import ROOT


def test_threads_and_determinism_are_set():
    threads = load(ROOT / "params.yaml").train.threads
    determinism.configure(threads)
    assert tf.config.threading.get_intra_op_parallelism_threads() == threads
    assert tf.config.threading.get_inter_op_parallelism_threads() == threads
    assert is_op_determinism_enabled()


def test_precision():
    threads = load(ROOT / "params.yaml").train.threads
    try:
        determinism.configure(threads, "mixed_bfloat16")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        determinism.configure(threads)
    assert keras.config.dtype_policy().name == "float32"

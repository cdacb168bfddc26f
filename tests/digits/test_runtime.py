import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled  # not public, and the only way to ask

from digits import runtime
from digits.params import load
from tests.conftest import ROOT


def test_threads_and_determinism_are_set():
    threads = load(ROOT / "params.yaml").train.threads
    runtime.configure(threads)
    assert tf.config.threading.get_intra_op_parallelism_threads() == threads
    assert tf.config.threading.get_inter_op_parallelism_threads() == threads
    assert is_op_determinism_enabled()

import keras
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


def test_precision():
    threads = load(ROOT / "params.yaml").train.threads
    try:
        runtime.configure(threads, "mixed_bfloat16")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        runtime.configure(threads)
    assert keras.config.dtype_policy().name == "float32"


def test_strategies():
    assert runtime.strategy("one_device") is tf.distribute.get_strategy()
    mirrored = runtime.strategy("mirrored")
    assert isinstance(mirrored, tf.distribute.MirroredStrategy)
    assert mirrored.num_replicas_in_sync == max(1, len(tf.config.list_logical_devices("GPU")))


def test_the_machine_is_told_without_its_name():
    assert set(runtime.machine()) == {"processor", "cores", "python"}

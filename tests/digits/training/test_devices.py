import tensorflow as tf

from digits.training import devices


def test_strategies():
    assert devices.strategy("one_device") is tf.distribute.get_strategy()
    mirrored = devices.strategy("mirrored")
    assert isinstance(mirrored, tf.distribute.MirroredStrategy)
    assert mirrored.num_replicas_in_sync == max(1, len(tf.config.list_logical_devices("GPU")))

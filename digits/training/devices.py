"""The distribution of a training over devices."""

import tensorflow as tf


def strategy(name: str) -> tf.distribute.Strategy:
    """Returns a strategy: `one_device`, or `mirrored`, which splits each batch over this machine's GPUs.

    Networks must be built and trained in its `scope()`.
    """
    if name == "one_device":
        return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])

"""How a training is spread over devices."""

import tensorflow as tf


def strategy(name: str) -> tf.distribute.Strategy:
    """How a training is spread: `one_device`, or `mirrored`, a part of each batch on each of this machine's GPUs.

    Networks are to be built and trained in its `scope()`.
    """
    if name == "one_device":
        return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])

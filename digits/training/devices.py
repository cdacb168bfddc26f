"""The distribution of a training over devices and machines, all of it by `tf.distribute`."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from digits.core.errors import UserError
from digits.training import cluster


def strategy(name: str) -> tf.distribute.Strategy:
    """Returns a strategy, in whose `scope` networks must be built and trained.

    Args:
        name: `one_device`; `mirrored`, which splits each batch over this machine's GPUs; or `multi_worker`, which
            splits it over the processes that `TF_CONFIG` names and the GPUs of each
            (`tf.distribute.MultiWorkerMirroredStrategy`). Several workers must be connected before any other use of
            TensorFlow.

    Raises:
        UserError: `TF_CONFIG` is wrong, or a worker does not come.
    """
    if name == "one_device":
        return tf.distribute.get_strategy()
    if name == "multi_worker":
        workers = cluster.read()
        cluster.meet(workers)
        with _lost_workers():
            return tf.distribute.MultiWorkerMirroredStrategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process is the one that writes; without several workers it is."""
    return not _has_workers(strategy) or cluster.read().is_chief


@contextlib.contextmanager
def scope(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Enters a strategy's scope.

    Raises:
        UserError: another worker was lost.
    """
    with strategy.scope(), _lost_workers() if _has_workers(strategy) else contextlib.nullcontext():
        yield


def check_agreement(fingerprint: str, epochs: int) -> None:
    """Compares what the workers are about to train; each would otherwise wait for steps that the others do not take.

    Args:
        fingerprint: of recipe, data, code, libraries and class of the processor, hexadecimal.
        epochs: how many are done, according to the checkpoint.

    Raises:
        UserError: a worker differs from the chief; raised in all of them.
    """
    strategy = tf.distribute.get_strategy()
    if not _has_workers(strategy):
        return
    own = tf.constant([[int(fingerprint[:15], 16), epochs]], tf.int64)
    chief, *others = strategy.gather(own, axis=0).numpy()
    for name, other in zip(cluster.read().names[1:], others, strict=True):
        if other[0] != chief[0]:
            raise UserError(
                f"{name} differs from the chief in code, packages, parameters, data or processor: give all workers the "
                "same commit, packages, params.yaml and data/tfrecords, and instructions that all have"
            )
        if other[1] != chief[1]:
            raise UserError(
                f"{name} would go on after epoch {other[1]}, the chief after epoch {chief[1]}: share the folder of the "
                "checkpoints (models/), or remove models/checkpoint*.npz, and start all workers again"
            )


def _has_workers(strategy: tf.distribute.Strategy) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


@contextlib.contextmanager
def _lost_workers() -> Iterator[None]:
    """Turns what TensorFlow raises when another process is gone into one line."""
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError) as error:
        raise UserError(
            "another worker is gone, or out of reach: see its own message, then start all workers again; the training "
            "continues after its last finished epoch"
        ) from error

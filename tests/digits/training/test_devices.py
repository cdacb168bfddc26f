from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from digits.core.errors import UserError
from digits.training import cluster, devices
from digits.training.cluster import Cluster


def test_strategies():
    assert devices.strategy("one_device") is tf.distribute.get_strategy()
    mirrored = devices.strategy("mirrored")
    assert isinstance(mirrored, tf.distribute.MirroredStrategy)
    assert mirrored.num_replicas_in_sync == max(1, len(tf.config.list_logical_devices("GPU")))


def test_one_process_is_the_chief():
    assert devices.is_chief(devices.strategy("one_device"))
    assert devices.is_chief(devices.strategy("mirrored"))


@pytest.fixture
def three_workers(monkeypatch):
    """Makes `check_agreement` see what three workers say; real ones are in tests/stages/test_workers.py."""

    def say(*rows):
        monkeypatch.setattr(devices, "_has_workers", lambda strategy: True)
        found = Cluster(("worker 0", "worker 1", "worker 2"), ("a:1", "b:1", "c:1"), 0)
        monkeypatch.setattr(cluster, "read", lambda: found)
        gathered = SimpleNamespace(gather=lambda own, axis: tf.constant(np.array(rows)))
        monkeypatch.setattr(tf.distribute, "get_strategy", lambda: gathered)

    return say


def test_workers_that_agree(three_workers):
    three_workers([7, 2], [7, 2], [7, 2])
    devices.check_agreement("0007", 2)


@pytest.mark.parametrize(
    ("last", "complaint"),
    [
        ([8, 2], "^worker 2 differs from the chief in code, packages, parameters, data or processor: give"),
        ([7, 0], r"^worker 2 would go on after epoch 0, the chief after epoch 2: share the folder of the checkpoints"),
    ],
)
def test_a_worker_that_differs_is_named(three_workers, last, complaint):
    three_workers([7, 2], [7, 2], last)
    with pytest.raises(UserError, match=complaint):
        devices.check_agreement("0007", 2)


def test_a_lost_worker_is_one_line():
    with (
        pytest.raises(UserError, match=r"^another worker is gone, or out of reach: see its own"),
        devices._lost_workers(),
    ):
        raise tf.errors.UnavailableError(None, None, "Collective ops is aborted by: \nthe task has crashed")

import numpy as np

from digits.inputs.targets import encode, uniform_targets
from digits.params import Loss

LABELS = np.array([2, 0, 1])


def test_targets():
    np.testing.assert_array_equal(
        encode(LABELS, 3, Loss(labels="integer", label_smoothing=0, reduction="mean")), LABELS
    )
    one_hot = encode(LABELS, 3, Loss(labels="one_hot", label_smoothing=0, reduction="mean"))
    np.testing.assert_array_equal(one_hot, np.eye(3)[LABELS])
    assert one_hot.dtype == np.float32


def test_outliers_are_no_class_in_particular():
    targets = uniform_targets(4, 5)
    assert targets.dtype == np.float32
    np.testing.assert_array_equal(targets, np.full((4, 5), np.float32(0.2)))

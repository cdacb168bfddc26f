import dataclasses

import numpy as np
import pytest

from digits.datasets import checks
from digits.splits.split import Split


def violations(dataset, **limits):
    return checks.violations(dataset, **{"max_imbalance": 10, "max_leakage": 0.01, **limits})


def with_train(dataset, **changes):
    return dataclasses.replace(dataset, train=dataclasses.replace(dataset.train, **changes))


def test_sound_data_has_none(dataset):
    assert violations(dataset) == []


def test_wrong_types_and_shapes(dataset):
    images, labels = dataset.train.images, dataset.train.labels
    assert violations(with_train(dataset, images=images.astype(np.float32))) == [
        "train: images are float32 [60, 8, 8, 1], not uint8 [N, H, W, C]"
    ]
    assert "not uint8 [N, H, W, C]" in violations(with_train(dataset, images=images[..., 0]))[0]
    assert "not int64 [N]" in violations(with_train(dataset, labels=labels.astype(np.int32)))[0]
    assert violations(with_train(dataset, labels=labels[1:])) == ["train: 60 images, but 59 labels"]
    assert "holds no images" in violations(with_train(dataset, images=images[:0], labels=labels[:0]))[0]


def test_labels_outside_the_classes(dataset):
    for wrong in (-1, 3):
        labels = dataset.train.labels.copy()
        labels[0] = wrong
        assert "labels go from" in violations(with_train(dataset, labels=labels))[0]


def test_pixels_that_were_scaled_before(dataset):
    assert "already scaled" in violations(with_train(dataset, images=(dataset.train.images > 100).astype(np.uint8)))[0]


def test_images_of_different_shapes_in_the_splits(dataset):
    assert violations(with_train(dataset, images=dataset.train.images[:, :7])) == [
        "train images are [7, 8, 1], test images [8, 8, 1]"
    ]


def test_an_absent_class(dataset):
    train = dataset.train.take(np.flatnonzero(dataset.train.labels != 1))
    assert violations(dataclasses.replace(dataset, train=train)) == ["train: no image of class b"]


def test_imbalance(dataset):
    first, others = np.flatnonzero(dataset.train.labels == 0)[:1], np.flatnonzero(dataset.train.labels != 0)
    lopsided = dataclasses.replace(dataset, train=dataset.train.take(np.concatenate([first, others])))
    assert "20 times the images of the smallest (preprocess.max_imbalance is 10)" in violations(lopsided)[0]
    assert violations(lopsided, max_imbalance=20) == []


def test_test_images_that_stand_in_train(dataset):
    leaked = Split(
        np.concatenate([dataset.test.images, dataset.train.images[:3]]),
        np.concatenate([dataset.test.labels, dataset.train.labels[:3]]),
    )
    phrases = violations(dataclasses.replace(dataset, test=leaked))
    assert phrases == ["9.1% of the test images are also in train (preprocess.max_leakage is 1.0%)"]


def test_several_violations_are_told_together(dataset):
    bad = with_train(dataset, labels=dataset.train.labels + 5)
    bad = dataclasses.replace(bad, test=dataclasses.replace(bad.test, labels=bad.test.labels - 5))
    assert len(violations(bad)) == 2


def test_description(dataset):
    train = dataset.train.take(np.array([*range(60), 0, 1]))
    statistics = checks.describe({"train": train, "test": dataset.train.take(np.array([2, 2, 3]))}, ["a", "b", "c"])
    assert statistics["splits"]["train"]["images"] == 62
    assert statistics["splits"]["train"]["duplicates"] == 2
    assert statistics["splits"]["train"]["shape"] == [8, 8, 1]
    assert sum(statistics["splits"]["train"]["per_class"].values()) == 62
    assert statistics["splits"]["train"]["pixel_max"] == train.images.max()
    assert statistics["splits"]["test"]["duplicates"] == 1
    assert statistics["duplicates_across"] == {"train_test": 3}


@pytest.mark.parametrize(("first", "second", "expected"), [([0, 1], [1, 1, 2], 2), ([0], [1], 0), ([], [1], 0)])
def test_shared_counts_each_image_of_the_second(split, first, second, expected):
    assert checks.shared(split.take(np.array(first, int)), split.take(np.array(second, int))) == expected

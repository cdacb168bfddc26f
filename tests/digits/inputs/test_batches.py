import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from digits.inputs import batches
from digits.inputs.batches import InMemory
from digits.params import Augmentation
from tests.conftest import make_split

OFF = Augmentation(moved=1, rotation=0, zoom=0, shift=0, shear=0, weight=0, coarse=0, noise=0, corrupted=0)
ALL = Augmentation(
    moved=1, rotation=10, zoom=0.1, shift=0.1, shear=0.1, weight=0.5, coarse=0.3, noise=0.05, corrupted=0.2
)
MOST = ALL.model_copy(update={"corrupted": 0})  # whose graph takes six times as long to build as all others together


def epochs(split, *, augmentation=OFF, seed=1, count=2, first_epoch=0, batch_size=16, undistorted=0):
    """The batches of `count` epochs, as a list of epochs."""
    steps = batches.steps_per_pass(len(split), batch_size)
    dataset = batches.shuffled(
        InMemory(split.images, split.labels),
        batch_size=batch_size,
        augmentation=augmentation,
        seed=seed,
        steps=steps * count,
        first_step=steps * first_epoch,
        undistorted_steps=steps * undistorted,
    )
    dataset_batches = list(dataset.as_numpy_iterator())
    return [dataset_batches[start : start + steps] for start in range(0, len(dataset_batches), steps)]


def contents(epoch):
    return [(image.tobytes(), label) for images, labels in epoch for image, label in zip(images, labels, strict=True)]


def test_an_epoch_holds_each_example_once_with_its_label(split):
    expected = sorted(zip((image.tobytes() for image in split.images), split.labels, strict=True))
    for epoch in epochs(split):
        assert sorted(contents(epoch)) == expected


def test_batches_do_not_span_epochs(split):
    assert [[len(labels) for _, labels in epoch] for epoch in epochs(split)] == [[16, 16, 16, 12]] * 2


def test_each_epoch_has_its_own_order(split):
    first, second = epochs(split)
    assert contents(first) != contents(second)


def test_the_shuffle_is_full():
    # Where the first tenth of the examples lands is spread over the whole epoch, not over a buffer's length.
    split = make_split(400, seed=0, side=4)
    (epoch,) = epochs(split, count=1)
    first = {image.tobytes() for image in split.images[:120]}
    places = [place for place, (image, _) in enumerate(contents(epoch)) if image in first]
    counts, _ = np.histogram(places, bins=4, range=(0, 1200))
    assert counts.min() > 15


def test_the_seed_decides(split):
    assert contents(epochs(split, augmentation=MOST)[0]) == contents(epochs(split, augmentation=MOST)[0])
    assert contents(epochs(split, augmentation=MOST)[0]) != contents(epochs(split, augmentation=MOST, seed=2)[0])


def test_distortions_differ_between_epochs(split):
    first, second = (dict.fromkeys(image for image, _ in contents(epoch)) for epoch in epochs(split, augmentation=MOST))
    assert not set(first) & set(second)


@pytest.mark.parametrize("first_epoch", [0, 1, 2])
def test_the_last_epochs_are_not_distorted(split, first_epoch):
    originals = {image.tobytes() for image in split.images}
    found = epochs(split, augmentation=MOST, count=3, first_epoch=first_epoch, undistorted=1)
    original = [{image in originals for image, _ in contents(epoch)} for epoch in found]
    assert original == [{False}, {False}, {True}][first_epoch:]


def test_undistorted_steps_change_no_step_before_them(split):
    whole, shortened = (epochs(split, augmentation=MOST, undistorted=number) for number in (0, 1))
    assert contents(whole[0]) == contents(shortened[0])


def test_a_run_from_a_later_epoch_sees_what_an_undisturbed_one_sees(split):
    uninterrupted = epochs(split, augmentation=MOST, count=3)
    rest = epochs(split, augmentation=MOST, count=3, first_epoch=1)
    assert [contents(epoch) for epoch in rest] == [contents(epoch) for epoch in uninterrupted[1:]]


def test_the_shape_is_known_to_the_network(split):
    dataset = batches.shuffled(InMemory(split.images, split.labels), batch_size=16, augmentation=MOST, seed=1, steps=4)
    assert dataset.element_spec[0].shape.as_list() == [None, 8, 8, 1]


@pytest.mark.parametrize(
    ("first_step", "steps", "augmentation"),
    [
        *((*part, MOST) for part in [(0, 3), (0, 4), (0, 9), (3, 9), (4, 9), (6, 7), (8, 9)]),
        (3, 9, ALL),
    ],
)
def test_any_part_of_the_stream(split, first_step, steps, augmentation):
    def stream(first_step, steps):
        dataset = batches.shuffled(
            InMemory(split.images, split.labels),
            batch_size=16,
            augmentation=augmentation,
            seed=1,
            steps=steps,
            first_step=first_step,
        )
        return [contents([batch]) for batch in dataset.as_numpy_iterator()]

    assert stream(first_step, steps) == stream(0, 12)[first_step:steps]


def test_targets_of_any_shape_stay_with_their_images(split):
    one_hot = np.eye(3, dtype=np.float32)[split.labels]
    common = {"batch_size": 16, "augmentation": OFF, "seed": 1, "steps": 4}
    plain = batches.shuffled(InMemory(split.images, split.labels), **common).as_numpy_iterator()
    encoded = batches.shuffled(InMemory(split.images, one_hot), **common).as_numpy_iterator()
    for (_, labels), (_, targets) in zip(plain, encoded, strict=True):
        np.testing.assert_array_equal(targets, np.eye(3)[labels])


def test_the_stream_is_the_one_it_always_was(split):
    # As it was before sets were streamed too. Undistorted: the last bits of distortions may be another processor's.
    dataset = batches.shuffled(InMemory(split.images, split.labels), batch_size=16, augmentation=OFF, seed=1, steps=9)
    digest = hashlib.sha256()
    for images, labels in dataset.as_numpy_iterator():
        digest.update(images.tobytes() + labels.tobytes())
    assert digest.hexdigest() == "9f8ccaf3fcad5087d16b27146521bf7d81cab990010b71f6f3fd9de250d092d1"


@pytest.mark.parametrize(("batch_size", "steps"), [(60, 1), (59, 2), (1, 60), (100, 1)])
def test_steps_per_pass(split, batch_size, steps):
    assert batches.steps_per_pass(len(split), batch_size) == steps


def test_in_order_is_in_order(split):
    pairs = list(batches.in_order(split.images, split.labels, batch_size=25).as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate([images for images, _ in pairs]), split.images)
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in pairs]), split.labels)


def test_several_devices_get_equal_shares_of_the_last_batch_too(split, monkeypatch):
    (alone,) = epochs(split, count=1)
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: SimpleNamespace(num_replicas_in_sync=8))
    (shared,) = epochs(split, count=1)
    assert [len(labels) for _, labels in shared] == [16, 16, 16, 16]
    last = [content for batch in alone[-1:] for content in contents([batch])]
    assert contents(shared) == [*contents(alone), *last[:4]], "filled up with its own first"

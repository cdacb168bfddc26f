import numpy as np
import pytest
import tensorflow as tf

from digits.core.errors import UserError
from digits.inputs import batches, streaming
from digits.inputs.streaming import Added, Stream, StreamedSplit
from digits.splits import tfrecords
from digits.splits.split import Split
from tests.conftest import make_split
from tests.digits.inputs.test_batches import MOST, OFF, contents

CLASSES = 3


@pytest.fixture(scope="module")
def whole():
    return make_split(per_class=20, seed=0)


@pytest.fixture(scope="module")
def shards(whole, tmp_path_factory):
    """Seven shards of eight or nine examples."""
    folder = tmp_path_factory.mktemp("records") / "r"
    tfrecords.write(folder, {"train": whole}, name="bars", classes=["a", "b", "c"], shards=7)
    return tfrecords.find(folder, "train")


def stream(shards, group_size=2, added=()):
    return Stream(StreamedSplit(shards, group_size), added, np.arange(CLASSES + 1))


def steps_of(examples, *, first_step=0, steps=12, seed=1, augmentation=OFF, batch_size=16):
    """The batches, each as a list of (image, label)."""
    dataset = batches.shuffled(
        examples, batch_size=batch_size, augmentation=augmentation, seed=seed, steps=steps, first_step=first_step
    )
    return [contents([batch]) for batch in dataset.as_numpy_iterator()]


def passes(examples, count=3, **options):
    """The examples of each pass of four batches, in order."""
    found = steps_of(examples, steps=4 * count, **options)
    return [flat(found[start : start + 4]) for start in range(0, len(found), 4)]


def flat(found):
    return [example for batch in found for example in batch]


@pytest.mark.parametrize("group_size", [1, 2, 3, 6, 7])
def test_a_pass_holds_each_example_once_with_its_label(shards, whole, group_size):
    expected = sorted(zip((image.tobytes() for image in whole.images), whole.labels, strict=True))
    for examples in passes(stream(shards, group_size)):
        assert sorted(examples) == expected


def test_batches_do_not_span_passes(shards):
    assert [len(batch) for batch in steps_of(stream(shards), steps=8)] == [16, 16, 16, 12] * 2


def test_the_seed_decides(shards):
    assert steps_of(stream(shards), augmentation=MOST) == steps_of(stream(shards), augmentation=MOST)
    assert steps_of(stream(shards))[0] != steps_of(stream(shards), seed=2)[0]


def test_an_image_is_distorted_anew_in_each_pass(shards):
    first, second = ({image for image, _ in examples} for examples in passes(stream(shards), 2, augmentation=MOST))
    assert not first & second


@pytest.fixture(scope="module")
def uninterrupted(shards):
    return {group_size: steps_of(stream(shards, group_size), augmentation=MOST) for group_size in (2, 7)}


# Four batches a pass, groups of 16 to 18 examples: every place within a pass and a group.
@pytest.mark.parametrize(("group_size", "first_step"), [*((2, step) for step in range(12)), (7, 3), (7, 4)])
def test_a_run_from_a_later_step_gets_the_same_batches(shards, uninterrupted, group_size, first_step):
    resumed = steps_of(stream(shards, group_size), augmentation=MOST, first_step=first_step)
    assert resumed == uninterrupted[group_size][first_step:]


def test_a_resumed_run_reads_nothing_that_lies_before(tmp_path, whole):
    tfrecords.write(tmp_path / "r", {"train": whole}, name="bars", classes=["a", "b", "c"], shards=7)
    shards = tfrecords.find(tmp_path / "r", "train")
    expected = steps_of(stream(shards, 1), steps=4)[3:]
    last = {image for image, _ in expected[0]}
    for path in shards.paths:
        part = tfrecords.read_records(str(path), shards.counts[shards.paths.index(path)])
        if not last & {image.tobytes() for image in tfrecords.parse(part, [8, 8, 1])[0].numpy()}:
            path.write_bytes(b"unreadable")
    assert steps_of(stream(shards, 1), steps=4, first_step=3) == expected


def shard_numbers(shards, whole, examples):
    """The shard of each example, in the stream's order."""
    homes = np.repeat(range(len(shards.paths)), shards.counts)
    of_image = {image.tobytes(): home for image, home in zip(whole.images, homes, strict=True)}
    return [of_image[image] for image, _ in examples]


def test_each_pass_has_its_own_groups(shards, whole):
    found = [shard_numbers(shards, whole, examples) for examples in passes(stream(shards), 4)]
    assert len({frozenset(numbers[:16]) for numbers in found}) > 1


@pytest.fixture(scope="module")
def by_class(tmp_path_factory):
    """1,200 examples, sorted by class, in 24 shards of one class each."""
    split = make_split(400, seed=0, side=4)
    split = split.take(np.argsort(split.labels, kind="stable"))
    folder = tmp_path_factory.mktemp("sorted") / "r"
    tfrecords.write(folder, {"train": split}, name="bars", classes=["a", "b", "c"], shards=24)
    return split, tfrecords.find(folder, "train")


def test_the_examples_of_a_group_are_fully_shuffled(by_class):
    split, shards = by_class
    examples = flat(steps_of(stream(shards, 8), steps=75))
    numbers = np.array(shard_numbers(shards, split, examples)[:400])  # of the first group
    assert len(set(numbers)) == 8
    for shard in set(numbers):
        places, _ = np.histogram(np.flatnonzero(numbers == shard), bins=4, range=(0, 400))
        assert places.min() >= 5, "50 examples over four quarters of the group"


def test_sorted_shards_are_mixed_into_each_batch(by_class):
    _, shards = by_class
    found = steps_of(stream(shards, 12), steps=18, batch_size=64)
    assert all(len({label for _, label in batch}) == CLASSES for batch in found)


def added(count, pool=4):
    """`pool` examples of a label of their own, of which a pass holds `count`."""
    records = [tfrecords.serialize(np.full((8, 8, 1), number, np.uint8), CLASSES) for number in range(pool)]
    return Added(tf.constant(records), count)


@pytest.mark.parametrize("count", [1, 4, 9])
def test_what_is_added_is_spread_over_the_groups_and_comes_in_turn(shards, whole, count):
    examples = stream(shards, 2, [added(count), added(0)])
    assert len(examples) == 60 + count
    steps = batches.steps_per_pass(len(examples), 16)
    first_pass = flat(steps_of(examples, steps=steps))
    assert sorted(label for _, label in first_pass) == sorted([*whole.labels, *[CLASSES] * count])
    images, counts = np.unique([image[0] for image, label in first_pass if label == CLASSES], return_counts=True)
    assert len(images) == min(count, 4)
    assert counts.max() - counts.min() <= 1
    places = [place for place, (_, label) in enumerate(first_pass) if label == CLASSES]
    assert count < 9 or np.histogram(places, bins=3, range=(0, 69))[0].min() >= 2
    assert steps_of(examples, steps=steps, first_step=2) == steps_of(examples, steps=steps)[2:]


def test_the_shape_is_known_to_the_network(shards):
    dataset = batches.shuffled(stream(shards), batch_size=16, augmentation=MOST, seed=1, steps=4)
    assert dataset.element_spec[0].shape.as_list() == [None, 8, 8, 1]


def test_a_target_of_each_label(shards):
    one_hot = np.eye(CLASSES, dtype=np.float32)
    examples = Stream(StreamedSplit(shards, 2), [], one_hot)
    plain, encoded = (
        batches.shuffled(some, batch_size=16, augmentation=OFF, seed=1, steps=4).as_numpy_iterator()
        for some in (stream(shards), examples)
    )
    for (_, labels), (_, targets) in zip(plain, encoded, strict=True):
        np.testing.assert_array_equal(targets, one_hot[labels])
        assert targets.dtype == np.float32


def test_a_group_fits_half_of_the_memory_with_what_is_added(by_class):
    _, shards = by_class
    largest = max(shards.sizes)
    assert streaming.group_size(shards, 1, 0) == int(500_000 / largest)
    assert streaming.group_size(shards, 1, 0.5) == int(500_000 / (1.5 * largest))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Four shards of 1.2 MB, the last a little smaller."""
    split = Split(np.zeros((39, 350, 350, 1), np.uint8), np.arange(39) % 3)
    folder = tmp_path_factory.mktemp("large") / "r"
    tfrecords.write(folder, {"train": split}, name="black", classes=["a", "b", "c"], shards=4)
    return tfrecords.find(folder, "train")


def test_a_shard_that_is_too_large_is_refused_with_what_helps(large):
    with pytest.raises(
        UserError, match=r"train-00000-of-00004\.tfrecord: 1\.2 MB; .* half of train\.memory_mb"
    ) as caught:
        streaming.group_size(large, 2, 0)
    assert "\n" not in str(caught.value)
    assert "needs train.memory_mb: 3, or preprocess.shards: 6 or more" in str(caught.value)
    assert streaming.group_size(large, 3, 0) == 1


def test_the_digest_changes_with_content_and_drawings(tmp_path, whole, shards):
    split = StreamedSplit(shards, 2)
    assert split.digest() == StreamedSplit(shards, 3).digest()
    tfrecords.write(tmp_path / "r", {"train": whole}, name="x", classes=["a", "b", "c"], shards=7)
    assert StreamedSplit(tfrecords.find(tmp_path / "r", "train"), 2).digest() == split.digest(), "whatever the folder"
    other = Split(whole.images, (whole.labels + 1) % 3)
    tfrecords.write(tmp_path / "o", {"train": other}, name="x", classes=["a", "b", "c"], shards=7)
    digests = {
        split.digest(),
        StreamedSplit(tfrecords.find(tmp_path / "o", "train"), 2).digest(),
        StreamedSplit(shards, 2, whole, 5).digest(),
        StreamedSplit(shards, 2, whole, 6).digest(),
        StreamedSplit(shards, 2, other, 5).digest(),
    }
    assert len(digests) == 5

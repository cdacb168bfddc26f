from collections import Counter

import numpy as np
import pytest

from digits import params
from digits.core.errors import UserError
from digits.drawing import strokes
from digits.inputs import batches, drawn_digits, outliers, training_data
from digits.inputs.batches import InMemory
from digits.inputs.streaming import StreamedSplit
from digits.splits import tfrecords
from digits.splits.split import Split
from tests.conftest import ROOT
from tests.digits.inputs.test_batches import OFF

TEN = [str(digit) for digit in range(10)]
ONE_HOT = params.Loss(labels="one_hot", label_smoothing=0, reduction="mean")
RECIPE = params.load(ROOT / "params.yaml").recipe_named("fast_cnn").model_copy(update={"outlier_share": 0.1})
DRAWN = RECIPE.model_copy(update={"drawing_share": 0.25})


@pytest.fixture(scope="module")
def split():
    """2,000 images, 1.7 MB on disk, sorted by class."""
    images = np.random.default_rng(0).integers(1, 256, (2000, 28, 28, 1), np.uint8)
    return Split(images, np.repeat(np.arange(10), 200))


@pytest.fixture(scope="module")
def directory(split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records") / "r"
    tfrecords.write(folder, {"train": split}, name="noise", classes=TEN, shards=20)
    return folder


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    """A file of 40 drawings; to frame all of a committed file takes seconds."""
    path = tmp_path_factory.mktemp("drawings") / "some.json"
    path.write_text(strokes.dump(strokes.read(ROOT / "drawings/validation.json")[::7][:40]))
    return path


def read(directory, recipe=RECIPE, memory_mb=1, drawings=None):
    return training_data.read(directory, drawings, recipe, memory_mb=memory_mb, seed=1)


def test_what_fits_is_in_memory_with_its_drawings(directory, split, drawings):
    np.testing.assert_array_equal(read(directory, memory_mb=2).images, split.images)
    with_drawings = read(directory, DRAWN, memory_mb=2, drawings=drawings)
    assert with_drawings.digest() == drawn_digits.with_drawings(split, drawings, 0.25, classes=TEN, seed=1).digest()


def test_what_does_not_fit_stays_on_disk(directory, drawings):
    found = read(directory)
    assert isinstance(found, StreamedSplit)
    assert (len(found), found.group_size, found.groups) == (2000, 5, 4)
    assert found.image_shape == [28, 28, 1]
    drawn = read(directory, DRAWN, drawings=drawings)
    assert (len(drawn), drawn.group_size) == (2500, 4)


def test_drawings_of_a_stream_need_the_ten_digits_too(tmp_path, split):
    tfrecords.write(tmp_path / "r", {"train": split}, name="noise", classes=list("abcdefghij"), shards=20)
    with pytest.raises(UserError, match="drawing_share: drawings go with the ten digits"):
        read(tmp_path / "r", DRAWN)


def test_in_memory_the_outliers_are_behind_the_split(split):
    examples = training_data.with_outliers(split, RECIPE, 10, seed=3)
    assert isinstance(examples, InMemory)
    np.testing.assert_array_equal(examples.images[:2000], split.images)
    np.testing.assert_array_equal(examples.images[2000:], outliers.make(split, 200, seed=3))
    np.testing.assert_array_equal(examples.targets[:2000], np.eye(10)[split.labels])
    np.testing.assert_array_equal(examples.targets[2000:], np.full((200, 10), 0.1, np.float32))


@pytest.mark.parametrize("labels", ["integer", "one_hot"])
def test_without_outliers_the_targets_are_the_labels(directory, split, labels):
    loss = params.Loss(labels=labels, label_smoothing=0, reduction="mean")
    recipe = RECIPE.model_copy(update={"outlier_share": 0, "loss": loss})
    in_memory, stream = (
        training_data.with_outliers(part, recipe, 10, seed=3) for part in (split, read(directory, recipe))
    )
    assert len(in_memory) == len(stream) == 2000
    assert in_memory.targets.dtype == stream.targets.dtype
    np.testing.assert_array_equal(in_memory.targets[::200], stream.targets)


def one_pass(examples):
    """Images and targets, as texts, of a pass."""
    steps = batches.steps_per_pass(len(examples), 256)
    found = batches.shuffled(examples, batch_size=256, augmentation=OFF, seed=1, steps=steps).as_numpy_iterator()
    return [(i.tobytes(), t.tobytes()) for images, targets in found for i, t in zip(images, targets, strict=True)]


def test_a_stream_keeps_the_shares_of_drawings_and_outliers(directory, drawings):
    in_memory, stream = (
        one_pass(training_data.with_outliers(read(directory, DRAWN, memory_mb, drawings), DRAWN, 10, seed=1))
        for memory_mb in (2, 1)
    )
    no_class = np.full(10, 0.1, np.float32).tobytes()
    assert len(stream) == len(in_memory) == 2000 + 500 + 250
    labelled, outlying = ([pair for pair in stream if (pair[1] == no_class) is which] for which in (False, True))
    assert sorted(labelled) == sorted(pair for pair in in_memory if pair[1] != no_class), "the same drawings, as often"
    assert len(outlying) == 250
    repeats = Counter(outlying)
    assert len(repeats) == 50, "as many as one of the five groups takes"
    assert set(repeats.values()) == {5}


def test_the_seed_decides_on_the_outliers_of_a_stream(directory):
    first, again, other = (
        one_pass(training_data.with_outliers(read(directory), RECIPE, 10, seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert sorted(first) != sorted(other)


def test_a_damaged_shard_is_named_while_it_is_read(tmp_path, split):
    tfrecords.write(tmp_path / "r", {"train": split}, name="noise", classes=TEN, shards=20)
    stream = read(tmp_path / "r")
    path = stream.shards.paths[11]
    path.write_bytes(path.read_bytes()[:-9])
    with (
        pytest.raises(UserError, match=rf"{path}: corrupt or truncated; run `dvc repro -f preprocess`"),
        training_data.naming_damage(stream),
    ):
        one_pass(training_data.with_outliers(stream, RECIPE.model_copy(update={"outlier_share": 0}), 10, seed=1))


def test_an_error_of_another_kind_stays(directory, split):
    for part in (split, read(directory)):
        with pytest.raises(ZeroDivisionError), training_data.naming_damage(part):
            raise ZeroDivisionError

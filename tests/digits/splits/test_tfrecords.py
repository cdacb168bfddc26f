import numpy as np
import pytest
import tensorflow as tf

from digits.core import files
from digits.core.errors import UserError
from digits.splits import tfrecords
from tests.conftest import make_split


@pytest.fixture
def splits():
    return {"train": make_split(20, seed=0), "test": make_split(2, seed=1)}


@pytest.fixture
def directory(tmp_path, splits):
    tfrecords.write(tmp_path / "records", splits, name="bars", classes=["a", "b", "c"], shards=4)
    return tmp_path / "records"


def test_what_is_written_is_read_in_order(directory, splits):
    for name, split in splits.items():
        read = tfrecords.read(directory, name)
        np.testing.assert_array_equal(read.images, split.images)
        np.testing.assert_array_equal(read.labels, split.labels)
        assert read.images.dtype == np.uint8
        assert read.labels.dtype == np.int64


def test_the_spec_tells_what_a_reader_must_know(directory):
    spec = tfrecords.read_spec(directory)
    assert spec == tfrecords.Spec("bars", ["a", "b", "c"], [8, 8, 1], {"train": [15] * 4, "test": [2, 2, 1, 1]})
    assert spec.counts == {"train": 60, "test": 6}


@pytest.mark.parametrize("shards", [1, 3, 7, 100])
def test_the_number_of_shards_does_not_change_what_is_read(tmp_path, splits, shards):
    tfrecords.write(tmp_path / "r", splits, name="bars", classes=["a", "b", "c"], shards=shards)
    np.testing.assert_array_equal(tfrecords.read(tmp_path / "r", "train").images, splits["train"].images)
    assert len(list((tmp_path / "r").glob("train-*"))) == min(shards, 60)


def test_a_record_is_a_plain_example(directory, splits):
    # Read the way any other program would: one by one, with the public schema.
    serialized = next(iter(tf.data.TFRecordDataset(sorted(map(str, directory.glob("train-*"))))))
    example = tf.train.Example.FromString(serialized.numpy())
    assert example.features.feature["image"].bytes_list.value[0] == splits["train"].images[0].tobytes()
    assert example.features.feature["label"].int64_list.value[0] == splits["train"].labels[0]


def test_the_features_of_a_record_are_in_order():
    # Unless serialized deterministically, the order of protobuf's maps differs between processes.
    serialized = tfrecords.serialize(np.zeros((4, 4, 1), np.uint8), 3)
    assert serialized.index(b"image") < serialized.index(b"label")


def first_shard(directory):
    return min(directory.glob("train-*"))


@pytest.mark.parametrize("damage", [lambda b: b[:-7], lambda b: b[:200] + b"!" + b[201:], lambda b: b"nonsense"])
def test_a_damaged_shard_is_named(directory, damage):
    path = first_shard(directory)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=rf"{path.name}: corrupt or truncated; run `dvc repro -f preprocess`"):
        tfrecords.read(directory, "train")


def test_a_missing_shard_is_noticed(directory):
    first_shard(directory).unlink()
    with pytest.raises(UserError, match=r"3 shards of the train split, but dataset\.json lists 4; run `dvc repro -f"):
        tfrecords.read(directory, "train")


@pytest.mark.parametrize("examples", [14, 16])
def test_a_shard_with_another_number_of_examples_is_named(directory, splits, examples):
    path = first_shard(directory)
    tfrecords.write_shard(path, splits["train"].take(np.arange(examples)))
    with pytest.raises(UserError, match=rf"{path.name}: {examples} examples, but dataset\.json counts 15; run `dvc"):
        tfrecords.read(directory, "train")


def test_shards_written_one_by_one_are_those_of_a_whole(directory, splits, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    for number in range(4):
        part = splits["train"].take(np.arange(15 * number, 15 * number + 15))
        tfrecords.write_shard(tfrecords.shard_path(alone, "train", number, 4), part)
    tfrecords.write_spec(alone, tfrecords.Spec("bars", ["a", "b", "c"], [8, 8, 1], {"train": [15] * 4}))
    assert tfrecords.find(alone, "train").digest() == tfrecords.find(directory, "train").digest()
    np.testing.assert_array_equal(tfrecords.read(alone, "train").images, splits["train"].images)


def test_shards_are_found_without_being_read(directory):
    shards = tfrecords.find(directory, "train")
    first_shard(directory).write_bytes(b"nonsense")
    assert len(shards) == 60
    assert shards.sizes == [8, *[path.stat().st_size for path in shards.paths[1:]]]


@pytest.mark.parametrize(("count", "each"), [(4, 1), (7, 2), (1000, 15)])
def test_a_sample_is_of_all_shards(directory, splits, count, each):
    sample = tfrecords.find(directory, "train").sample(count)
    chosen = (np.arange(0, 60, 15)[:, None] + np.arange(each)).ravel()
    np.testing.assert_array_equal(sample.images, splits["train"].images[chosen])
    np.testing.assert_array_equal(sample.labels, splits["train"].labels[chosen])


def test_no_shards_at_all_are_noticed(directory):
    for path in directory.glob("test-*"):
        path.unlink()
    with pytest.raises(UserError, match="no shards of the test split"):
        tfrecords.read(directory, "test")


def test_a_spec_that_does_not_fit_the_shards_is_noticed(directory):
    content = files.read_json(directory / tfrecords.SPEC)
    files.write_json(directory / tfrecords.SPEC, {**content, "image_shape": [5, 5, 1]})
    with pytest.raises(UserError, match=r"shards do not fit dataset\.json"):
        tfrecords.read(directory, "train")


def test_a_spec_with_other_keys_is_noticed(directory):
    files.write_json(directory / tfrecords.SPEC, {"name": "bars"})
    with pytest.raises(UserError, match=r"dataset\.json"):
        tfrecords.read_spec(directory)

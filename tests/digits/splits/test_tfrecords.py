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
    assert spec == tfrecords.Spec("bars", ["a", "b", "c"], [8, 8, 1], {"train": 60, "test": 6})


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
    with pytest.raises(
        UserError, match=r"45 train examples, but dataset\.json counts 60: a shard is missing or cut short"
    ):
        tfrecords.read(directory, "train")


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

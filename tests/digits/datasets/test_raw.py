import numpy as np
import pytest

from digits.core import files
from digits.core.errors import UserError
from digits.datasets import raw


def test_what_is_written_is_read(tmp_path, dataset):
    raw.write(tmp_path / "raw", dataset)
    read = raw.read(tmp_path / "raw")
    for name, split in dataset.splits.items():
        np.testing.assert_array_equal(read.splits[name].images, split.images)
        np.testing.assert_array_equal(read.splits[name].labels, split.labels)
    assert dict(dataset.card).items() <= dict(read.card).items()
    assert set(read.card["sha256"]) == {f"{s}_{a}.npy" for s in ("train", "test") for a in ("images", "labels")}


def test_the_bytes_are_the_same_at_every_writing(tmp_path, dataset):
    for name in ("first", "second"):
        raw.write(tmp_path / name, dataset)
    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_a_damaged_file_is_named(tmp_path, dataset, damage):
    raw.write(tmp_path, dataset)
    path = tmp_path / "train_images.npy"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"train_images\.npy: corrupt.*dvc repro"):
        raw.read(tmp_path)


def test_a_missing_file_is_named(tmp_path, dataset):
    raw.write(tmp_path, dataset)
    (tmp_path / "test_labels.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"test_labels\.npy"):
        raw.read(tmp_path)


def test_take_keeps_the_order_asked_for(split):
    taken = split.take(np.array([5, 0, 7]))
    assert taken.labels.tolist() == split.labels[[5, 0, 7]].tolist()
    np.testing.assert_array_equal(taken.images[2], split.images[7])


def test_the_digest_tells_contents_apart(split):
    swapped = split.take(np.roll(np.arange(len(split)), 1))
    assert split.digest() == split.take(np.arange(len(split))).digest()
    assert split.digest() != swapped.digest()


@pytest.mark.parametrize("key", ["name", "version", "source", "licence", "classes", "sha256"])
def test_a_card_without_a_fact_is_named(tmp_path, dataset, key):
    raw.write(tmp_path, dataset)
    card = files.read_json(tmp_path / raw.CARD)
    del card[key]
    files.write_json(tmp_path / raw.CARD, card)
    with pytest.raises(UserError, match=rf"card\.json: holds no {key}; delete it"):
        raw.read(tmp_path)


@pytest.mark.parametrize("sha256", [None, [], "x", {}, {"../secret": "x"}, {"train_images.npy": "x"}])
def test_a_card_with_other_checksums_is_named(tmp_path, dataset, sha256):
    raw.write(tmp_path, dataset)
    files.write_json(tmp_path / raw.CARD, files.read_json(tmp_path / raw.CARD) | {"sha256": sha256})
    with pytest.raises(UserError, match=r"card\.json: damaged \(sha256 names other files"):
        raw.read(tmp_path)


@pytest.mark.parametrize("classes", [None, "abc", [1, 2, 3], {"a": 1}])
def test_a_card_with_other_classes_is_named(tmp_path, dataset, classes):
    raw.write(tmp_path, dataset)
    files.write_json(tmp_path / raw.CARD, files.read_json(tmp_path / raw.CARD) | {"classes": classes})
    with pytest.raises(UserError, match=r"card\.json: damaged \(classes"):
        raw.read(tmp_path)


def test_objects_in_arrays_are_not_unpickled(tmp_path, dataset):
    raw.write(tmp_path, dataset)
    np.save(tmp_path / "train_labels.npy", np.array([{}], object), allow_pickle=True)
    card = files.read_json(tmp_path / raw.CARD)
    card["sha256"]["train_labels.npy"] = files.sha256(tmp_path / "train_labels.npy")
    files.write_json(tmp_path / raw.CARD, card)
    with pytest.raises(UserError, match=r"train_labels\.npy: no array \(Object arrays cannot be loaded"):
        raw.read(tmp_path)

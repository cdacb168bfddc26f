import gzip
import hashlib

import numpy as np
import pytest
import tensorflow_datasets as tfds

from digits.core import files
from digits.core.errors import UserError
from digits.datasets import idx

NAMES = [name for pair in idx.FILES.values() for name in pair]


def packed_array(array):
    """The content of an IDX file of unsigned bytes."""
    array = np.asarray(array, np.uint8)
    return b"\0\0\x08" + bytes([array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_set(folder, names=NAMES, pack=gzip.compress, end=".gz"):
    """Writes the four files of a set of five training and three test images of 4 x 6 pixels; returns its splits."""
    folder.mkdir(exist_ok=True)
    generator = np.random.default_rng(0)
    splits = {}
    for split, count, (images, labels) in zip(("train", "test"), (5, 3), (names[:2], names[2:]), strict=True):
        splits[split] = generator.integers(0, 256, (count, 4, 6)), generator.integers(0, 10, count)
        for name, array in zip((images, labels), splits[split], strict=True):
            (folder / f"{name}{end}").write_bytes(pack(packed_array(array)))
    return splits


def assert_same(read, written):
    assert list(read) == ["train", "test"]
    for split, (images, labels) in written.items():
        np.testing.assert_array_equal(read[split][0], images[..., None])
        np.testing.assert_array_equal(read[split][1], labels)


def test_images_get_a_channel_and_stay_in_the_order_of_the_files(tmp_path):
    written = write_set(tmp_path)
    read = idx.read(tmp_path, "mnist", {})
    assert_same(read, written)
    assert (read["train"][0].dtype, read["train"][1].dtype) == (np.uint8, np.int64)


def as_it_is(content):
    return content


@pytest.mark.parametrize(
    ("pack", "end"), [(as_it_is, ""), (gzip.compress, ""), (as_it_is, ".gz")], ids=["plain", "packed", "misnamed"]
)
@pytest.mark.parametrize("dot", ["-", "."])
def test_files_may_be_unpacked_or_have_a_dot_in_their_names(tmp_path, pack, end, dot):
    written = write_set(tmp_path, [name.replace("-idx", f"{dot}idx") for name in NAMES], pack, end)
    assert_same(idx.read(tmp_path, "mnist", {}), written)


@pytest.mark.parametrize("configuration", ["digits", "letters", "byclass"])
def test_the_names_of_emnist_begin_with_its_configuration(tmp_path, configuration):
    contents = ("train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1")
    written = write_set(tmp_path, [f"emnist-{configuration}-{content}-ubyte" for content in contents])
    assert_same(idx.read(tmp_path, f"emnist/{configuration}", {}), written)
    with pytest.raises(UserError, match=r"emnist-balanced-train-images-idx3-ubyte\.gz is missing"):
        idx.read(tmp_path, "emnist/balanced", {})


@pytest.mark.parametrize("missing", NAMES)
def test_a_missing_file_is_named_with_the_way_out(tmp_path, missing):
    write_set(tmp_path)
    (tmp_path / f"{missing}.gz").unlink()
    with pytest.raises(UserError) as caught:
        idx.read(tmp_path, "kmnist", {})
    assert str(caught.value) == (
        f"MNIST_DIR: {tmp_path / missing}.gz is missing; the folder must hold the four files of kmnist, or unset "
        "MNIST_DIR, and it is downloaded"
    )


def test_a_folder_of_that_name_is_no_file(tmp_path):
    written = write_set(tmp_path, pack=as_it_is, end="")
    (tmp_path / f"{NAMES[0]}.gz").mkdir()
    assert_same(idx.read(tmp_path, "mnist", {}), written)


def replace(folder, name, change):
    path = folder / f"{name}.gz"
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-9],
        lambda content: content[:2],
        lambda content: content[:-8] + bytes(8),
        lambda content: content[:12] + bytes(byte ^ 255 for byte in content[12:]),
    ],
    ids=["truncated", "two bytes", "wrong checksum", "other bytes"],
)
def test_a_damaged_gzip_file_is_named(tmp_path, damage):
    write_set(tmp_path)
    replace(tmp_path, NAMES[2], damage)
    with pytest.raises(UserError, match=r"t10k-images-idx3-ubyte\.gz is truncated or corrupt; copy it again$"):
        idx.read(tmp_path, "mnist", {})


WHOLE = packed_array(np.zeros((5, 4, 6)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        WHOLE[:2],
        WHOLE[:7],
        WHOLE[:-1],
        WHOLE + b"\0",
        b"P5 4 6 255\n" + bytes(24),
        b"\0\0\x0d" + WHOLE[3:],  # floats
        b"\0\0\x08\0",
        b"\0\0\x08\x03" + b"\xff" * 12 + bytes(100),
        b"\0\0\x08\x03" + b"\x80\0\0\0" * 2 + b"\0\0\0\4",  # 2^64, which is 0 in 64 bits
        b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0",
    ],
    ids=[
        "empty",
        "no head",
        "no sides",
        "short",
        "long",
        "a picture",
        "floats",
        "a number",
        "huge",
        "2^64",
        "255 sides",
    ],
)
@pytest.mark.parametrize("pack", [gzip.compress, as_it_is], ids=["packed", "plain"])
def test_what_is_no_idx_file_of_bytes_is_named(tmp_path, content, pack):
    write_set(tmp_path)
    replace(tmp_path, NAMES[0], lambda _: pack(content))
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte\.gz is truncated or corrupt, or no IDX file of byte"):
        idx.read(tmp_path, "mnist", {})


def test_a_file_of_three_bytes_is_named(tmp_path):
    write_set(tmp_path)
    replace(tmp_path, NAMES[0], lambda _: WHOLE[:3])
    with pytest.raises(UserError, match="is truncated or corrupt"):
        idx.read(tmp_path, "mnist", {})


@pytest.mark.parametrize(
    ("name", "array", "shapes"),
    [
        (NAMES[1], np.zeros(4), r"images of shape \(5, 4, 6\) and labels of shape \(4,\)"),
        (NAMES[1], np.zeros((5, 1)), r"images of shape \(5, 4, 6\) and labels of shape \(5, 1\)"),
        (NAMES[0], np.zeros((5, 24)), r"images of shape \(5, 24\) and labels of shape \(5,\)"),
    ],
)
def test_counts_that_do_not_go_together_are_told(tmp_path, name, array, shapes):
    write_set(tmp_path)
    replace(tmp_path, name, lambda _: gzip.compress(packed_array(array)))
    with pytest.raises(UserError, match=f"the train files of {tmp_path} hold {shapes}: not one label an image; copy"):
        idx.read(tmp_path, "mnist", {})


def published(folder):
    return {f"{name}.gz": files.sha256(folder / f"{name}.gz") for name in NAMES}


def test_the_published_files_are_compared(tmp_path):
    written = write_set(tmp_path)
    assert_same(idx.read(tmp_path, "fashion_mnist", published(tmp_path)), written)


def test_another_set_may_be_unpacked_too(tmp_path):
    written = write_set(tmp_path / "packed")
    write_set(tmp_path / "plain", pack=as_it_is, end="")
    assert_same(idx.read(tmp_path / "plain", "fashion_mnist", published(tmp_path / "packed")), written)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_a_sound_file_of_another_set_is_refused(tmp_path, name):
    write_set(tmp_path)
    checksums = published(tmp_path)
    content = packed_array(np.ones((3, 4, 6)))
    replace(tmp_path, NAMES[2], lambda _: gzip.compress(content))
    with pytest.raises(UserError) as caught:
        idx.read(tmp_path, name, checksums)
    assert str(caught.value) == (
        f"MNIST_DIR: {tmp_path / NAMES[2]}.gz is not {name}'s file as published (sha256 of its content "
        f"{hashlib.sha256(content).hexdigest()[:12]}...): damaged, or of another set; copy it again, or unset "
        f"MNIST_DIR, and {name} is downloaded"
    )


@pytest.fixture(scope="module")
def originals(mnist_dir):
    """What MNIST's files hold, and the checksums of the packed ones."""
    infos = tfds.builder("mnist", data_dir="nowhere").url_infos.values()
    contents = {name: gzip.decompress((mnist_dir / f"{name}.gz").read_bytes()) for name in NAMES}
    return contents, {info.filename: info.checksum for info in infos}


@pytest.mark.mnist
@pytest.mark.parametrize(
    ("pack", "end"), [(as_it_is, ""), (lambda content: gzip.compress(content, 1), ".gz")], ids=["unpacked", "repacked"]
)
def test_mnist_unpacked_or_packed_again_is_mnist(originals, mnist_dir, tmp_path, pack, end):
    contents, checksums = originals
    for name, content in contents.items():
        (tmp_path / f"{name}{end}").write_bytes(pack(content))
    expected = idx.read(mnist_dir, "mnist", checksums)
    for split, arrays in idx.read(tmp_path, "mnist", checksums).items():
        for array, original in zip(arrays, expected[split], strict=True):
            np.testing.assert_array_equal(array, original)
    assert [len(labels) for _, labels in expected.values()] == [60_000, 10_000]


@pytest.mark.mnist
def test_a_changed_pixel_of_mnist_is_noticed_whichever_way_it_is_packed(originals, tmp_path):
    contents, checksums = originals
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    changed = bytearray(contents[NAMES[2]])
    changed[-1] ^= 1
    (tmp_path / NAMES[2]).write_bytes(changed)
    with pytest.raises(UserError, match=f"{NAMES[2]} is not mnist's file as published"):
        idx.read(tmp_path, "mnist", checksums)


@pytest.mark.mnist
def test_the_files_of_mnist_are_refused_for_a_set_with_the_same_names(mnist_dir):
    infos = tfds.builder("kmnist", data_dir="nowhere").url_infos.values()
    with pytest.raises(UserError, match="is not kmnist's file as published"):
        idx.read(mnist_dir, "kmnist", {info.filename: info.checksum for info in infos})

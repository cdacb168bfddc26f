import gzip
import socket
import threading

import numpy as np
import pytest
import requests
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
from tensorflow_datasets.core.hashing import Hasher

from digits.core.errors import UserError
from digits.datasets import sources
from tests.digits.datasets.test_idx import NAMES, published, write_set
from tests.digits.datasets.test_pictures import draw, ink

FILES = [f"{name}.gz" for name in NAMES]


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(UserError, match="'minst' does not exist; did you mean mnist"):
        sources.load("minst")


@pytest.mark.parametrize(
    ("name", "answer"),
    [("emnist/letter", "no such configuration; .* letters"), ("mnist/x", "there are none"), ("mnist:9.9.9", "3.0.1")],
)
def test_an_unknown_configuration_or_version_names_the_known_ones(name, answer):
    with pytest.raises(UserError, match=answer):
        sources.load(name)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("cats_vs_dogs", "images of several shapes"),
        ("coco", "no image classification"),
        ("imdb_reviews", "no image classification"),
    ],
)
def test_sets_that_do_not_fit_are_refused_without_the_network(name, complaint):
    with pytest.raises(UserError, match=complaint):
        sources.load(name)


@pytest.mark.parametrize("name", ["fashion_mnist", "kmnist", "emnist/digits", "cifar10"])
def test_other_sets_fit(tmp_path, name):
    builder = sources._builder(tfds, name, str(tmp_path))
    assert None not in builder.info.features["image"].shape


@pytest.fixture
def silent_server():
    """A server that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture(params=[200, 405, 403, 503])
def answering_server(request):
    """A server that answers with a status."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(f"HTTP/1.0 {request.param} Answer\r\nContent-Length: 0\r\n\r\n".encode())
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        yield request.param, f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("server", ["silent_server", "closed_port"])
def test_an_unreachable_server_names_both_ways_out(server, request, monkeypatch):
    monkeypatch.setattr(sources, "PROBE_SECONDS", 0.2)
    with pytest.raises(UserError, match=r"'mnist': 127\.0\.0\.1:\d+ cannot be reached; set MNIST_DIR .* embedded set"):
        sources._probe("mnist", request.getfixturevalue(server))


def test_a_look_up_that_hangs_is_cut_off(monkeypatch):
    def hang(*_, **__):
        threading.Event().wait(1)
        raise requests.ConnectionError

    monkeypatch.setattr(sources, "PROBE_SECONDS", 0.1)
    monkeypatch.setattr(sources.requests, "head", hang)
    with pytest.raises(UserError, match="cannot be reached"):
        sources._probe("kmnist", "http://example.invalid/file")


def test_a_refusal_names_the_ways_out_too(answering_server):
    # A proxy that filters answers for the server that it keeps from us.
    status, url = answering_server
    if status in (200, 405):
        sources._probe("mnist", url)
    else:
        with pytest.raises(UserError, match=rf"answers {status} for its file; set MNIST_DIR"):
            sources._probe("mnist", url)


def test_a_download_that_fails_is_one_line(monkeypatch):
    def fail(self, **_):
        raise NonMatchingChecksumError("Artifact ...,\nhas wrong checksum")

    monkeypatch.setattr(sources, "_probe", lambda name, url: None)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(UserError, match=r"'mnist': Artifact \.\.\., has wrong checksum; run again, or set MNIST_DIR"):
        sources.load("mnist")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist", "emnist"])
def test_a_set_in_the_format_of_mnist_may_come_from_a_folder(name, closed_port):
    with pytest.raises(UserError, match=f"'{name}': .* set MNIST_DIR to a folder with the four original"):
        sources._probe(name, closed_port)


def test_mnist_corrupted_is_another_set():
    with pytest.raises(UserError) as caught:
        sources._probe("mnist_corrupted", "http://127.0.0.1:9/file")
    assert "MNIST_DIR" not in str(caught.value)


def refuse(name, url):
    raise UserError(f"asked for {name}")


@pytest.fixture
def no_network(monkeypatch):
    monkeypatch.setattr(sources, "_probe", refuse)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("mnist", "train-images-idx3-ubyte.gz"),
        ("fashion_mnist", "train-images-idx3-ubyte.gz"),
        ("kmnist", "train-images-idx3-ubyte.gz"),
        ("emnist/digits", "emnist-digits-train-images-idx3-ubyte.gz"),
        ("emnist", "emnist-byclass-train-images-idx3-ubyte.gz"),
        ("mnist:3.0.1", "train-images-idx3-ubyte.gz"),
    ],
)
def test_a_missing_file_of_a_folder_is_noticed_before_the_network(tmp_path, no_network, name, missing):
    with pytest.raises(UserError, match=f"MNIST_DIR: {tmp_path / missing} is missing"):
        sources.load(name, mnist_dir=tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_files_that_are_not_as_published_are_refused(tmp_path, no_network, name):
    write_set(tmp_path)
    with pytest.raises(UserError, match=f"{FILES[0]} is not {name}'s file as published"):
        sources.load(name, mnist_dir=tmp_path)


@pytest.mark.parametrize("name", ["cifar10", "mnist_corrupted"])
def test_the_folder_serves_no_set_that_is_published_otherwise(tmp_path, no_network, name):
    with pytest.raises(UserError, match=f"asked for {name}"):
        sources.load(name, mnist_dir=tmp_path)


EMNIST = [f"emnist-letters-{name.replace('t10k', 'test')}" for name in NAMES]


@pytest.mark.parametrize(("name", "files"), [("fashion_mnist", NAMES), ("kmnist", NAMES), ("emnist/letters", EMNIST)])
def test_another_set_is_read_from_its_files(tmp_path, no_network, monkeypatch, name, files):
    written = write_set(tmp_path, files)
    builder = sources._builder(tfds, name, str(tmp_path))
    if files == NAMES:
        for info in builder.url_infos.values():  # as if these files were the published ones
            monkeypatch.setattr(info, "checksum", published(tmp_path)[info.filename])
    dataset = sources.load(name, mnist_dir=tmp_path)
    for split, (images, labels) in written.items():
        read = dataset.splits[split]
        order = sorted(range(len(labels)), key=Hasher(split).hash_key)
        np.testing.assert_array_equal(read.images, images[order][..., None])
        np.testing.assert_array_equal(read.labels, labels[order])
    assert dataset.card["name"] == name
    assert dataset.card["classes"] == list(builder.info.features["label"].names)


def test_pictures_come_from_a_folder(tmp_path):
    for name, colour in (("a", 10), ("b", 20)):
        for number in range(5):
            draw(tmp_path / name / f"{number}.png", colour, (7, 5))
    dataset = sources.load(f"folder:{tmp_path}", size=6, channels=3)
    assert dataset.train.image_shape == [6, 6, 3]
    assert dataset.card["classes"] == ["a", "b"]
    assert sources.load(f"folder:{tmp_path}").train.image_shape == [5, 7, 1]


def test_ink_in_a_folder_may_be_framed(tmp_path):
    for name in ("a", "b"):
        for number in range(5):
            draw(tmp_path / name / f"{number}.png", 255, (60, 70))
            with Image.open(tmp_path / name / f"{number}.png") as picture:
                ink(picture).save(tmp_path / name / f"{number}.png")
    dataset = sources.load(f"folder:{tmp_path}", framed=True, size=6, channels=3)
    assert dataset.train.image_shape == [28, 28, 1]


@pytest.mark.parametrize("absolute", [True, False])
def test_a_folder_without_the_word_gets_a_suggestion(tmp_path, monkeypatch, absolute):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my" / "pictures").mkdir(parents=True)
    name = str(tmp_path / "my" / "pictures") if absolute else "my/pictures"
    with pytest.raises(UserError) as caught:
        sources.load(name)
    assert str(caught.value) == f"dataset '{name}' does not exist; did you mean folder:{name}?"


def test_what_is_like_no_name_gets_the_catalogue():
    with pytest.raises(
        UserError, match=r"^dataset 'qqqqqqqq' does not exist; see https://www\.tensorflow\.org/datasets"
    ):
        sources.load("qqqqqqqq")


class Letters(tfds.core.GeneratorBasedBuilder):
    """A colour set with two classes and no test split, made here: what a set other than MNIST may look like."""

    VERSION = tfds.core.Version("1.2.3")

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {"image": tfds.features.Image(shape=(6, 5, 3)), "label": tfds.features.ClassLabel(names=["a", "b"])}
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(40):
            yield number, {"image": np.full((6, 5, 3), number, np.uint8), "label": number % 2}


def test_channels_classes_and_names_come_from_the_data(monkeypatch):
    monkeypatch.setattr(sources, "_probe", lambda name, url: None)
    dataset = sources.load("letters")
    assert dataset.train.images.shape == (32, 6, 5, 3)
    assert dataset.test.images.shape == (8, 6, 5, 3)
    assert dataset.card["classes"] == ["a", "b"]
    assert dataset.card["version"] == "1.2.3"
    for split in dataset.splits.values():
        assert (split.images[:, 0, 0, 0] % 2 == split.labels).all(), "images keep their labels"


@pytest.mark.mnist
def test_mnist_from_a_folder_is_mnist(mnist_dir):
    dataset = sources.load("mnist", mnist_dir=mnist_dir)
    for split, prefix in ((dataset.train, "train"), (dataset.test, "t10k")):
        with gzip.open(mnist_dir / f"{prefix}-images-idx3-ubyte.gz") as file:
            pixels = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 28, 28, 1)
        with gzip.open(mnist_dir / f"{prefix}-labels-idx1-ubyte.gz") as file:
            labels = np.frombuffer(file.read()[8:], np.uint8)
        expected = sorted((image.tobytes(), int(label)) for image, label in zip(pixels, labels, strict=True))
        pairs = sorted((image.tobytes(), int(label)) for image, label in zip(split.images, split.labels, strict=True))
        assert pairs == expected
    assert dataset.card["version"] == "3.0.1"
    assert dataset.card["licence"] == "CC BY-SA 3.0"


@pytest.mark.mnist
def test_mnist_from_a_folder_is_in_the_order_of_tensorflow_datasets(mnist_dir, tmp_path):
    # Without a folder TFDS makes records of the downloaded files, and sorts them: it must be the same dataset.
    builder = tfds.builder("mnist", data_dir=tmp_path)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=mnist_dir))
    expected, dataset = sources._read(tfds, builder), sources.load("mnist", mnist_dir=mnist_dir)
    assert [split.digest() for split in dataset.splits.values()] == [
        split.digest() for split in expected.splits.values()
    ]
    assert dataset.card == expected.card


@pytest.mark.mnist
def test_a_truncated_original_is_named(mnist_dir, tmp_path):
    for name in FILES:
        content = (mnist_dir / name).read_bytes()
        (tmp_path / name).write_bytes(content[:-100] if "t10k-labels" in name else content)
    with pytest.raises(UserError, match=r"t10k-labels-idx1-ubyte\.gz is truncated or corrupt; copy it again$"):
        sources.load("mnist", mnist_dir=tmp_path)

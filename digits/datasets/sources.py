"""Loads datasets: from TensorFlow Datasets, MNIST-like files or pictures in a folder, or scikit-learn's digits."""

import contextlib
import difflib
import re
import sys
import tempfile
import threading
import urllib.parse
from pathlib import Path
from typing import Any

import numpy as np
import requests

from digits.core.errors import UserError, as_os_error, one_line
from digits.datasets import embedded, idx, pictures
from digits.splits.holdout import split_off_test
from digits.splits.split import Dataset, Split

PROBE_SECONDS = 4  # time limit from name look-up to answer
TFDS_HOST = "https://storage.googleapis.com"  # of most files of TensorFlow Datasets

IDX_SETS = ("mnist", "fashion_mnist", "kmnist", "emnist")  # published as four files in MNIST's format
FOLDER = "folder:"  # and a path

# TFDS does not state the licence of every dataset.
LICENCES = {"mnist": "CC BY-SA 3.0"}


def load(
    name: str, mnist_dir: Path | None = None, *, framed: bool = False, size: int | None = None, channels: int = 1
) -> Dataset:
    """Loads a whole dataset by name into memory.

    Args:
        name: `digits`; or `folder:` and the path of a folder of pictures; or a name of TensorFlow Datasets, with its
            configuration and version where wanted (`mnist`, `emnist/digits`, `mnist:3.0.1`).
        mnist_dir: a folder with the four files of a set in MNIST's format, used instead of the network.
        framed: for pictures in a folder, as the next two: see `pictures.load`.
        size: of these.
        channels: of these.

    Raises:
        UserError: the dataset does not exist, is not an image classification or has images of several shapes; a file
            is missing or corrupt; or there is no connection.
    """
    if name == embedded.NAME:
        return embedded.load()
    if name.startswith(FOLDER):
        return pictures.load(Path(name.removeprefix(FOLDER)), framed=framed, size=size, channels=channels)
    return load_tfds(name, mnist_dir)


def load_tfds(name: str, mnist_dir: Path | None = None) -> Dataset:
    """Loads a dataset of TensorFlow Datasets, with verified checksums, in the order of its records."""
    import tensorflow_datasets as tfds  # noqa: PLC0415  # takes a while; the embedded set does without
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError  # noqa: PLC0415

    if not sys.stdout.isatty():
        tfds.disable_progress_bar()
    print(f"{name}: reading through TensorFlow Datasets", flush=True)
    with tempfile.TemporaryDirectory(prefix="digits-") as workspace:  # TFDS does not verify files in its cache
        builder = _builder(tfds, name, workspace)
        if mnist_dir and builder.name in IDX_SETS:
            return _read_files(mnist_dir, _name(builder), builder)
        _probe(builder.name, next(iter(builder.url_infos or {}), TFDS_HOST))
        config = tfds.download.DownloadConfig(extract_dir=f"{workspace}/extracted", force_checksums_validation=True)
        try:
            builder.download_and_prepare(download_dir=f"{workspace}/downloads", download_config=config)
        except (tfds.download.DownloadError, NonMatchingChecksumError, OSError) as error:
            if as_os_error(error):
                raise
            raise UserError(
                f"dataset '{name}': {one_line(error)}; run again, or {_alternatives(builder.name)}"
            ) from error
        return _read(tfds, builder)


def _builder(tfds: Any, name: str, data_dir: str) -> Any:
    """Returns the builder of an image-classification dataset with images of one shape; needs no network."""
    base, known = re.split("[/:]", name)[0], tfds.list_builders(with_community_datasets=False)
    if base not in known:
        near = difflib.get_close_matches(base, [embedded.NAME, *known])
        if Path(name).is_dir():
            near = [f"{FOLDER}{name}"]
        hint = f"did you mean {' or '.join(near)}?" if near else "see https://www.tensorflow.org/datasets/catalog"
        raise UserError(f"dataset '{name}' does not exist; {hint}")
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except ValueError as error:
        configurations = ", ".join(tfds.builder_cls(base).builder_configs)
        raise UserError(f"dataset '{name}': no such configuration; there are {configurations or 'none'}") from error
    except AssertionError as error:  # an unknown version; TFDS names the known ones
        raise UserError(f"dataset '{name}': {one_line(error)}") from error
    features = builder.info.features
    kinds = {"image": tfds.features.Image, "label": tfds.features.ClassLabel}
    if not all(key in features and isinstance(features[key], kind) for key, kind in kinds.items()):
        raise UserError(f"dataset '{name}' is no image classification: its features are {', '.join(features)}")
    if None in features["image"].shape:
        raise UserError(
            f"dataset '{name}' has images of several shapes {features['image'].shape}; choose one with a fixed shape, "
            "such as mnist, fashion_mnist, kmnist or cifar10"
        )
    if features["image"].np_dtype != np.uint8:
        raise UserError(f"dataset '{name}' has {features['image'].np_dtype} pixels; the pipeline takes uint8")
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        raise UserError(f"dataset '{name}' must be downloaded by hand, which this pipeline does not support")
    return builder


def _read_files(folder: Path, name: str, builder: Any) -> Dataset:
    """Reads the four files of a set, in the order of the records that TFDS would make of them in twenty seconds.

    TFDS sorts the records of a split by the hash of their key, which is their number.
    """
    from tensorflow_datasets.core.hashing import Hasher  # noqa: PLC0415  # as in `load_tfds`

    packed = {info.filename: info.checksum for info in builder.url_infos.values()}
    splits = {}
    for split, (images, labels) in idx.read(folder, name, packed).items():
        order = sorted(range(len(labels)), key=Hasher(split).hash_key)
        splits[split] = Split(images, labels).take(np.array(order))
    return Dataset(**splits, card=_card(builder))


def _probe(name: str, url: str) -> None:
    """Raises within seconds if `url` cannot be reached; TFDS itself retries for minutes.

    The request runs in its own thread, because no timeout of `requests` covers a name look-up that hangs.
    """
    answers: list[int] = []

    def ask() -> None:
        with contextlib.suppress(requests.RequestException):
            answers.append(requests.head(url, timeout=PROBE_SECONDS, allow_redirects=True).status_code)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout=PROBE_SECONDS)
    host = urllib.parse.urlsplit(url).netloc
    if not answers:
        raise UserError(f"dataset '{name}': {host} cannot be reached; {_alternatives(name)}")
    if answers[0] >= 400 and answers[0] != 405:  # 405: the server has no HEAD, but may have the file
        raise UserError(f"dataset '{name}': {host} answers {answers[0]} for its file; {_alternatives(name)}")


def _alternatives(name: str) -> str:
    local = "set MNIST_DIR to a folder with the four original .gz files, or " if name in IDX_SETS else ""
    return f"{local}use the embedded set (`make run`, or `dataset: digits` in params.yaml)"


def _read(tfds: Any, builder: Any) -> Dataset:
    if "train" not in builder.info.splits:
        raise UserError(f"dataset '{builder.name}' has no split named train: {', '.join(builder.info.splits)}")
    in_order = tfds.ReadConfig(interleave_cycle_length=1)  # reading several shards at once would mix their records

    def split(name: str) -> Split:
        data = tfds.as_numpy(builder.as_dataset(split=name, batch_size=-1, read_config=in_order))
        return Split(data["image"], data["label"].astype(np.int64))

    train, test = (split("train"), split("test")) if "test" in builder.info.splits else split_off_test(split("train"))
    return Dataset(train, test, card=_card(builder))


def _name(builder: Any) -> str:
    return builder.name if not builder.builder_config else f"{builder.name}/{builder.builder_config.name}"


def _card(builder: Any) -> dict[str, Any]:
    info = builder.info
    return {
        "name": _name(builder),
        "version": str(builder.version),
        "source": f"tensorflow_datasets; {info.homepage}",
        "licence": info.redistribution_info.license or LICENCES.get(builder.name, "not stated by TensorFlow Datasets"),
        "citation": one_line(info.citation, limit=2000),
        "classes": list(info.features["label"].names),
    }

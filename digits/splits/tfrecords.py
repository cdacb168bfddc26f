"""TFRecord shards: one `tf.train.Example` per image, raw uint8 pixels, byte-reproducible."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from digits.core import files
from digits.core.errors import UserError, as_os_error
from digits.core.progress import track
from digits.splits.split import Split

SPEC = "dataset.json"
FEATURES = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}


@dataclass(frozen=True)
class Spec:
    """The metadata of the shards in a directory.

    Attributes:
        name: of the dataset.
        classes: the names of the classes in the order of their labels.
        image_shape: `[H, W, C]`.
        counts: number of examples by split.
    """

    name: str
    classes: list[str]
    image_shape: list[int]
    counts: dict[str, int]


def write(directory: Path, splits: Mapping[str, Split], *, name: str, classes: list[str], shards: int) -> None:
    """Writes each split, in order, to `{split}-{i}-of-{shards}.tfrecord`, and the spec beside them."""
    shape = next(iter(splits.values())).images.shape[1:]
    spec = Spec(name, classes, list(shape), {part: len(split) for part, split in splits.items()})
    with files.replacing(directory) as partial:
        partial.mkdir()
        for part, split in splits.items():
            _write_split(partial, part, split, shards)
        files.write_json(partial / SPEC, asdict(spec))


def _write_split(directory: Path, name: str, split: Split, shards: int) -> None:
    chunks = np.array_split(np.arange(len(split)), min(shards, len(split)))
    for number, chunk in enumerate(chunks):
        path = directory / f"{name}-{number:05}-of-{len(chunks):05}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for index in track(chunk, path.name, len(chunk)):
                writer.write(serialize(split.images[index], int(split.labels[index])))


def serialize(image: np.ndarray, label: int) -> bytes:
    """Returns a serialized `tf.train.Example`; `deterministic`, because protobuf's map order varies by process."""
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString(deterministic=True))


def read_spec(directory: Path) -> Spec:
    """Reads the spec of the shards in `directory`."""
    content = files.read_json(directory / SPEC)
    try:
        return Spec(**content)
    except TypeError as error:
        raise UserError(f"{directory / SPEC}: {error}; run `dvc repro -f preprocess`") from error


def read(directory: Path, split: str) -> Split:
    """Reads a whole split into memory, in the order in which it was written.

    The shards are read in parallel, and each is parsed as one batch, which is ten times as fast as single examples.

    Raises:
        UserError: a shard is missing, corrupt or truncated.
    """
    spec = read_spec(directory)
    paths = sorted(str(path) for path in directory.glob(f"{split}-*-of-*.tfrecord"))

    def read_shard(file: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        serialized = tf.data.TFRecordDataset(file).batch(spec.counts[split]).get_single_element()
        return parse(serialized, spec.image_shape)

    if not paths:
        raise UserError(f"{directory}: no shards of the {split} split; run `dvc repro -f preprocess`")
    try:
        shards = tf.data.Dataset.from_tensor_slices(paths).map(read_shard, num_parallel_calls=tf.data.AUTOTUNE)
        images, labels = zip(*shards.as_numpy_iterator(), strict=True)
    except tf.errors.OpError as error:
        if failure := as_os_error(error):
            raise failure from error
        raise UserError(f"{_damaged(error, paths)}; run `dvc repro -f preprocess`") from error
    count = sum(map(len, labels))
    if count != spec.counts[split]:
        raise UserError(
            f"{directory}: {count} {split} examples, but {SPEC} counts {spec.counts[split]}: a shard is missing or cut "
            "short; run `dvc repro -f preprocess`"
        )
    return Split(np.concatenate(images), np.concatenate(labels))


def parse(serialized: tf.Tensor, image_shape: list[int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Parses a batch of serialized examples, string `[N]`, to images uint8 `[N, H, W, C]` and labels int64 `[N]`."""
    features = tf.io.parse_example(serialized, FEATURES)
    images = tf.reshape(tf.io.decode_raw(features["image"], tf.uint8), [-1, *image_shape])
    return images, features["label"]


def _damaged(error: tf.errors.OpError, paths: list[str]) -> str:
    for path in paths:  # the message of a parallel read does not always name its file
        try:
            examples = sum(1 for _ in tf.data.TFRecordDataset(path))
        except tf.errors.OpError:
            examples = 0
        if not examples:  # a file shorter than a record's header counts as empty, without an error
            return f"{path}: corrupt or truncated"
    return f"{Path(paths[0]).parent}: shards do not fit {SPEC} ({error.message.splitlines()[0]})"

"""TFRecord shards: one `tf.train.Example` per image, raw uint8 pixels, byte-reproducible."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tensorflow as tf
from pydantic import Field, ValidationError

from digits.core import files
from digits.core.errors import UserError, as_os_error
from digits.core.progress import track
from digits.params.base import Count, Section, first_problem
from digits.splits.split import Split

SPEC = "dataset.json"
ANEW = "run `dvc repro -f preprocess`"
FEATURES = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}


@dataclass(frozen=True)
class Spec:
    """The metadata of the shards in a directory.

    Attributes:
        name: of the dataset.
        classes: the names of the classes in the order of their labels.
        image_shape: `[H, W, C]`.
        shards: number of examples in each shard, by split.
    """

    name: str
    classes: list[str]
    image_shape: list[int]
    shards: dict[str, list[int]]

    @property
    def counts(self) -> dict[str, int]:
        """Number of examples by split."""
        return {split: sum(shards) for split, shards in self.shards.items()}


class _Content(Section):
    name: str
    classes: list[str]
    image_shape: Annotated[list[Count], Field(min_length=3, max_length=3)]
    shards: dict[str, list[Count]]


@dataclass(frozen=True)
class Shards:
    """A split on disk.

    Attributes:
        paths: the files, in order.
        counts: number of examples in each.
        image_shape: `[H, W, C]`.
    """

    paths: list[Path]
    counts: list[int]
    image_shape: list[int]

    def __len__(self) -> int:
        return sum(self.counts)

    @property
    def sizes(self) -> list[int]:
        """The bytes of each file: those of its images, and some dozens an example."""
        return [path.stat().st_size for path in self.paths]

    def digest(self) -> str:
        """Returns a SHA-256 of the files, read in pieces, in hexadecimal."""
        return hashlib.sha256("".join(map(files.sha256, self.paths)).encode()).hexdigest()

    def sample(self, count: int) -> Split:
        """Reads about `count` examples into memory: the first ones of each shard, so that all classes are among them.

        Shards may hold one class each, so one of them would be no sample.
        """
        each = math.ceil(count / len(self.paths))
        with naming_damage(self):
            serialized = [record for path in self.paths for record in _records(path).take(each).as_numpy_iterator()]
            images, labels = parse(tf.constant(serialized), self.image_shape)
        return Split(images.numpy(), labels.numpy())

    def damage(self) -> str | None:
        """Returns which shard cannot be read, or holds another number of examples than it should; None if none."""
        for path, count in zip(self.paths, self.counts, strict=True):
            try:
                examples = int(_records(path).reduce(0, lambda number, _: number + 1))
            except tf.errors.OpError:
                examples = 0
            if not examples:  # a file shorter than a record's header counts as empty, without an error
                return f"{path}: corrupt or truncated; {ANEW}"
            if examples != count:
                return f"{path}: {examples} examples, but {SPEC} counts {count}; {ANEW}"
        return None


def write(directory: Path, splits: Mapping[str, Split], *, name: str, classes: list[str], shards: int) -> None:
    """Writes each split, in order, to `{split}-{i}-of-{shards}.tfrecord`, and the spec beside them."""
    shape = next(iter(splits.values())).images.shape[1:]
    counts = {}
    with files.replacing(directory) as partial:
        partial.mkdir()
        for part, split in splits.items():
            chunks = np.array_split(np.arange(len(split)), min(shards, len(split)))
            counts[part] = [len(chunk) for chunk in chunks]
            for number, chunk in enumerate(chunks):
                write_shard(shard_path(partial, part, number, len(chunks)), split.take(chunk))
        write_spec(partial, Spec(name, classes, list(shape), counts))


def shard_path(directory: Path, split: str, number: int, of: int) -> Path:
    """Returns the path of a shard of a split: the `number`th, from 0, of `of`."""
    return directory / f"{split}-{number:05}-of-{of:05}.tfrecord"


def write_shard(path: Path, examples: Split) -> None:
    """Writes one shard; a set that is larger than the memory is written shard by shard, then `write_spec`."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image, label in track(zip(examples.images, examples.labels, strict=True), path.name, len(examples)):
            writer.write(serialize(image, int(label)))


def write_spec(directory: Path, spec: Spec) -> None:
    """Writes the spec of the shards in `directory`."""
    files.write_json(directory / SPEC, asdict(spec))


def serialize(image: np.ndarray, label: int) -> bytes:
    """Returns a serialized `tf.train.Example`; `deterministic`, because protobuf's map order varies by process."""
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString(deterministic=True))


def read_spec(directory: Path) -> Spec:
    """Reads the spec of the shards in `directory`.

    Raises:
        UserError: a key is missing or unknown, or a value is of another type or range.
    """
    content = files.read_json(directory / SPEC)
    try:
        return Spec(**_Content.model_validate(content).model_dump())
    except ValidationError as error:
        raise UserError(f"{directory / SPEC}: {first_problem(error)}; {ANEW}") from error


def find(directory: Path, split: str) -> Shards:
    """Returns the shards of a split, none of them read yet.

    Raises:
        UserError: a shard is missing.
    """
    spec = read_spec(directory)
    paths, counts = sorted(directory.glob(f"{split}-*-of-*.tfrecord")), spec.shards.get(split, [])
    if not paths:
        raise UserError(f"{directory}: no shards of the {split} split; {ANEW}")
    if len(paths) != len(counts):
        raise UserError(
            f"{directory}: {len(paths)} shards of the {split} split, but {SPEC} lists {len(counts)}; {ANEW}"
        )
    return Shards(paths, counts, spec.image_shape)


def read(directory: Path, split: str) -> Split:
    """Reads a whole split into memory, in the order in which it was written.

    The shards are read in parallel, and each is parsed as one batch, which is ten times as fast as single examples.

    Raises:
        UserError: a shard is missing, corrupt or truncated.
    """
    shards = find(directory, split)

    def read_shard(file: tf.Tensor, count: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return parse(read_records(file, count), shards.image_shape)

    try:
        with naming_damage(shards):
            parts = tf.data.Dataset.from_tensor_slices(([str(path) for path in shards.paths], shards.counts))
            parsed = parts.map(read_shard, num_parallel_calls=tf.data.AUTOTUNE)
            images, labels = zip(*parsed.as_numpy_iterator(), strict=True)
    except tf.errors.OpError as error:
        raise UserError(f"{directory}: shards do not fit {SPEC} ({error.message.splitlines()[0]}); {ANEW}") from error
    return Split(np.concatenate(images), np.concatenate(labels))


def read_records(paths: tf.Tensor, count: tf.Tensor, more: tf.Tensor | None = None) -> tf.Tensor:
    """Reads the serialized examples of one or several shards, then `more` of them; string `[count]`, all together."""
    records = tf.data.TFRecordDataset(paths)
    if more is not None:
        records = records.concatenate(tf.data.Dataset.from_tensor_slices(more))
    serialized = records.batch(tf.cast(count, tf.int64)).get_single_element()
    tf.debugging.assert_equal(tf.size(serialized, tf.int64), tf.cast(count, tf.int64))
    return serialized


def parse(serialized: tf.Tensor, image_shape: list[int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Parses a batch of serialized examples, string `[N]`, to images uint8 `[N, H, W, C]` and labels int64 `[N]`."""
    features = tf.io.parse_example(serialized, FEATURES)
    images = tf.reshape(tf.io.decode_raw(features["image"], tf.uint8), [-1, *image_shape])
    return images, features["label"]


@contextmanager
def naming_damage(shards: Shards) -> Iterator[None]:
    """Turns a failed read of shards into one line that names the shard: TensorFlow's message does not always.

    Raises:
        UserError: a shard is corrupt or truncated. Any other error stays as it is.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if failure := as_os_error(error):
            raise failure from error
        if damage := shards.damage():
            raise UserError(damage) from error
        raise


def _records(path: Path) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(str(path))

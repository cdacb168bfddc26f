"""TFRecord shards: one `tf.train.Example` per image, raw uint8 pixels, byte-reproducible."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits.core import files
from digits.core.errors import UserError, as_os_error
from digits.core.progress import track
from digits.splits.split import Split

if TYPE_CHECKING:
    import tensorflow as tf

SPEC = "dataset.json"


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
        examples = [
            serialize(split.images[index], int(split.labels[index])) for index in track(chunk, path.name, len(chunk))
        ]
        path.write_bytes(b"".join(records(examples)))


def serialize(image: np.ndarray, label: int) -> bytes:
    """Returns a serialized `tf.train.Example`; `deterministic`, because protobuf's map order varies by process.

    The class is TensorFlow Datasets' copy of TensorFlow's, which comes without the import of TensorFlow.
    """
    from tensorflow_datasets.proto import tf_example_pb2, tf_feature_pb2  # noqa: PLC0415  # stages that read do without

    features = {
        "image": tf_feature_pb2.Feature(bytes_list=tf_feature_pb2.BytesList(value=[image.tobytes()])),
        "label": tf_feature_pb2.Feature(int64_list=tf_feature_pb2.Int64List(value=[label])),
    }
    example = tf_example_pb2.Example(features=tf_feature_pb2.Features(feature=features))
    return bytes(example.SerializeToString(deterministic=True))


def records(examples: Sequence[bytes]) -> Iterator[bytes]:
    """Yields the parts of a TFRecord file: of each example its length, the length's checksum, itself, its checksum.

    See https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details.
    """
    lengths = np.array([len(example) for example in examples], "<u8")
    length_checksums = checksums(lengths.view(np.uint8).reshape(-1, 8))
    example_checksums = np.zeros(len(examples), "<u4")
    for length in np.unique(lengths):
        alike = np.flatnonzero(lengths == length)
        joined = b"".join(examples[int(index)] for index in alike)
        example_checksums[alike] = checksums(np.frombuffer(joined, np.uint8).reshape(len(alike), -1))
    for parts in zip(lengths, length_checksums, examples, example_checksums, strict=True):
        yield b"".join(part if isinstance(part, bytes) else part.tobytes() for part in parts)


def checksums(rows: np.ndarray) -> np.ndarray:
    """Returns the masked CRC-32C of each row of bytes, uint8 `[N, bytes]`: uint32 `[N]`, little-endian."""
    checksum = np.full(len(rows), 2**32 - 1, np.uint32)
    for column in np.ascontiguousarray(rows.T):
        checksum = CRC_TABLE[(checksum ^ column) & 255] ^ (checksum >> 8)
    checksum = ~checksum
    return ((checksum >> 15 | checksum << 17) + np.uint32(0xA282EAD8)).astype("<u4")


def _crc_table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ 0x82F63B78, table >> 1).astype(np.uint32)  # Castagnoli's polynomial
    return table


CRC_TABLE = _crc_table()  # of each byte


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
    import tensorflow as tf  # noqa: PLC0415  # takes seconds, and `preprocess` only writes

    spec = read_spec(directory)
    features = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
    paths = sorted(str(path) for path in directory.glob(f"{split}-*-of-*.tfrecord"))

    def read_shard(file: "tf.Tensor") -> "tuple[tf.Tensor, tf.Tensor]":
        serialized = tf.data.TFRecordDataset(file).batch(spec.counts[split]).get_single_element()
        examples = tf.io.parse_example(serialized, features)
        return tf.reshape(tf.io.decode_raw(examples["image"], tf.uint8), [-1, *spec.image_shape]), examples["label"]

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


def _damaged(error: "tf.errors.OpError", paths: list[str]) -> str:
    import tensorflow as tf  # noqa: PLC0415  # as in `read`

    for path in paths:  # the message of a parallel read does not always name its file
        try:
            examples = sum(1 for _ in tf.data.TFRecordDataset(path))
        except tf.errors.OpError:
            examples = 0
        if not examples:  # a file shorter than a record's header counts as empty, without an error
            return f"{path}: corrupt or truncated"
    return f"{Path(paths[0]).parent}: shards do not fit {SPEC} ({error.message.splitlines()[0]})"

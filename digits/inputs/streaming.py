"""Training examples that stay on disk: read group by group of shards, shuffled, still a pure function of seed and step.

A pass permutes the shards, takes them in groups, and permutes the examples of each group. While a group is used, the
next one is read: two groups are in memory, however large the set. From the sizes of the shards follows which group
holds a step's examples, so a resumed run reads nothing that lies before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from digits.core.errors import UserError
from digits.inputs.batches import steps_per_pass
from digits.splits import tfrecords
from digits.splits.split import Split
from digits.splits.tfrecords import Shards


@dataclass(frozen=True)
class StreamedSplit:
    """A training split that stays on disk, and what is added to it.

    Attributes:
        shards: where its examples are.
        group_size: number of shards that are in memory together.
        drawings: drawn digits, in memory, which come in turn among the examples; None if none are added.
        drawn: how many of them a pass over the split holds.
    """

    shards: Shards
    group_size: int
    drawings: Split | None = None
    drawn: int = 0

    def __len__(self) -> int:
        return len(self.shards) + self.drawn

    @property
    def image_shape(self) -> list[int]:
        """`[H, W, C]`."""
        return self.shards.image_shape

    @property
    def groups(self) -> int:
        """The number of groups of a pass."""
        return math.ceil(len(self.shards.paths) / self.group_size)

    def digest(self) -> str:
        """Returns a text that changes with the shards, in content or order, and with the drawings."""
        return f"{self.shards.digest()} {self.drawn} {self.drawings.digest() if self.drawings else ''}"


def group_size(shards: Shards, memory_mb: int, added_share: float) -> int:
    """Returns how many shards fit half of the memory together with what is added to them.

    Args:
        shards: of the training split.
        memory_mb: the parameter `train.memory_mb`; a group is read while another is used.
        added_share: examples that are added to those of the shards, as a share of them.

    Raises:
        UserError: not even one does.
    """
    largest, share = max(shards.sizes), 2 * (1 + added_share)
    if (count := int(memory_mb * 1e6 / (largest * share))) >= 1:
        return count
    path = shards.paths[shards.sizes.index(largest)]
    raise UserError(
        f"{path}: {largest / 1e6:.1f} MB; with half of train.memory_mb for one group of shards, that needs "
        f"train.memory_mb: {math.ceil(largest * share / 1e6)}, or preprocess.shards: "
        f"{math.ceil(sum(shards.sizes) * share / (memory_mb * 1e6)) + 1} or more"
    )


@dataclass(frozen=True)
class Added:
    """Examples that are mixed into a stream, in turn.

    Attributes:
        records: serialized, string `[N]`.
        count: how many of them a pass holds; each comes once, or about equally often.
    """

    records: tf.Tensor
    count: int

    def between(self, start: tf.Tensor, stop: tf.Tensor, of: int) -> tf.Tensor:
        """Returns those that go with the examples `start` to `stop` of a pass of `of` examples, string `[N]`."""
        numbers = tf.range(self.before(start, of), self.before(stop, of))
        return tf.gather(self.records, numbers % len(self.records))

    def before(self, start: tf.Tensor, of: int) -> tf.Tensor:
        """Returns how many go with the first `start` examples of a pass of `of` examples."""
        return self.count * start // of


class Stream:
    """Training examples on disk; their references are serialized examples.

    Args:
        split: the shards, and how many make a group.
        added: further examples, in memory, that are spread over the groups.
        targets: the target of each label, `[labels, ...]`; `added` may have labels that the split does not.
    """

    def __init__(self, split: StreamedSplit, added: Sequence[Added], targets: np.ndarray) -> None:
        self.split, self.shards, self.added = split, split.shards, added
        with tf.device("CPU"):
            self.paths = tf.constant([str(path) for path in self.shards.paths])
            self.counts = tf.constant(self.shards.counts, tf.int64)
            self.targets = tf.constant(targets)

    def __len__(self) -> int:
        return len(self.shards) + sum(added.count for added in self.added)

    def references(self, *, batch_size: int, seed: int, steps: int, first_step: int) -> tf.data.Dataset:
        """See `digits.inputs.batches.Examples`; a pass permutes the shards, then the examples within each group."""
        per_pass = steps_per_pass(len(self), batch_size)
        first_pass = first_step // per_pass
        first_example = first_pass * len(self) + (first_step - first_pass * per_pass) * batch_size  # of the whole run

        def pass_batches(number: tf.Tensor) -> tf.data.Dataset:
            groups = self._groups(number, seed, first_example)
            return groups.prefetch(1).flat_map(pieces).rebatch(batch_size)

        def pieces(records: tf.Tensor, order: tf.Tensor) -> tf.data.Dataset:
            starts = tf.data.Dataset.range(0, tf.size(order, tf.int64), batch_size)
            return starts.map(lambda start: tf.gather(records, order[start:][:batch_size]))

        batches = tf.data.Dataset.range(first_pass, -(-steps // per_pass)).flat_map(pass_batches)
        return batches.take(steps - first_step).enumerate(first_step)

    def fetch(self, references: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See `digits.inputs.batches.Examples`."""
        images, labels = tfrecords.parse(references, self.shards.image_shape)
        return images, tf.gather(self.targets, labels)

    def _groups(self, number: tf.Tensor, seed: int, first_example: int) -> tf.data.Dataset:
        """Reads the groups of a pass, without what comes before an example of the whole run.

        Returns:
            For each group its records, serialized, string `[N]`, and in which order they come, int64 `[up to N]`.
        """
        size, turn = self.split.group_size, number * (self.split.groups + 1)  # as many permutations has each pass
        shards = _permutation(len(self.shards.paths), seed, turn)
        ends = tf.concat([[0], tf.cumsum(tf.gather(self.counts, shards))], axis=0)

        def bounds(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            """Returns the first and last (exclusive) of the shards' examples in a group."""
            return ends[index * size], ends[tf.minimum((index + 1) * size, len(self.shards.paths))]

        def place(example: tf.Tensor) -> tf.Tensor:
            """Returns the place in the whole run of an example of the shards at which a group begins or ends."""
            return number * len(self) + example + sum(added.before(example, len(self.shards)) for added in self.added)

        def read(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            start, stop = bounds(index)
            count, skipped = place(stop) - place(start), tf.maximum(first_example - place(start), 0)
            paths = tf.gather(self.paths, shards[index * size :][:size])
            records = tfrecords.read_records(paths, count, self._added(start, stop))
            return records, _permutation(count, seed, turn + 1 + index)[skipped:]

        wanted = tf.data.Dataset.range(self.split.groups).filter(lambda index: place(bounds(index)[1]) > first_example)
        return wanted.map(read)

    def _added(self, start: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
        """Returns the added examples that go with `start` to `stop` of the shards, serialized, string `[N]`."""
        none = tf.constant([], tf.string)
        return tf.concat([none, *(added.between(start, stop, len(self.shards)) for added in self.added)], axis=0)


def _permutation(count: int | tf.Tensor, seed: int, number: tf.Tensor) -> tf.Tensor:
    """Returns the numbers below `count` in an order that depends on `seed` and `number`, int64 `[count]`."""
    numbers = tf.range(tf.cast(count, tf.int64))
    return tf.random.experimental.stateless_shuffle(numbers, seed=tf.stack([tf.cast(seed, tf.int64), number]))

"""Memory and time of the stage `train` on sets of up to a million images, streamed from disk and held in memory.

    python -m benchmarks.streaming

The images are distorted copies of those in `data/tfrecords`, in shards of 5,000, in a temporary folder: a million take
0.84 GB. Each set is trained on for one epoch by the recipe `tiny`, in a process of its own. Peak memory is that of the
whole process, TensorFlow included. Writes `benchmarks/results/streaming.json`, for `benchmarks.report`.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ruamel.yaml import YAML

from benchmarks import child, machine, timing
from digits import params
from digits.core import errors, files, paths
from digits.inputs.augmentation import distort
from digits.splits import tfrecords
from digits.splits.split import Split
from digits.splits.tfrecords import Spec

ROOT = Path(__file__).parents[1]
RESULTS = Path("benchmarks/results/streaming.json")
SHARD = 5000  # images; as many validate
ALL_IN_MEMORY = 1_000_000  # MB

# Runs a command and prints its peak memory and its CPU seconds. In a small process of its own, because Linux counts for
# a process also what the one that started it had in memory just then, which is hundreds of MB here.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_maxrss, usage.ru_utime + usage.ru_stime)
"""


def main() -> None:
    """Makes the largest set, of whose first shards the others are, and trains on each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--shards", type=timing.count, nargs="+", default=[25, 50, 100, 200], help=f"of {SHARD} images, a set"
    )
    parser.add_argument("--memory-mb", type=timing.count, default=100, help="train.memory_mb where the set is streamed")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        files_of_all = make_shards(Path(name), max(arguments.shards))
        for shards in arguments.shards:
            row: dict[str, Any] = {"images": shards * SHARD}
            for kind, memory_mb in (("streamed", arguments.memory_mb), ("in_memory", ALL_IN_MEMORY)):
                with tempfile.TemporaryDirectory(dir=name) as folder:
                    make_project(Path(folder), files_of_all[:shards], memory_mb)
                    row[kind] = train(Path(folder))
            row["data_mb"] = sum(path.stat().st_size for path in files_of_all[:shards]) / 1e6
            rows.append(row)
            print(row, flush=True)
    files.write_json(RESULTS, {"machine": machine.describe(), "memory_mb": arguments.memory_mb, "rows": rows})


def make_shards(folder: Path, count: int) -> list[Path]:
    """Writes shards of distorted copies of the training images."""
    split, limits = tfrecords.read(paths.TFRECORDS, "train"), params.load().recipe_named("fast_cnn").augmentation
    written = []
    for number in range(count):
        chosen = np.random.default_rng(number).integers(len(split), size=SHARD)
        images = distort(tf.constant(split.images[chosen]), tf.constant([0, number], tf.int64), limits)
        written.append(folder / f"{number}.tfrecord")
        tfrecords.write_shard(written[-1], Split(images.numpy(), split.labels[chosen]))
    return written


def make_project(folder: Path, shards: list[Path], memory_mb: int) -> None:
    """Makes what the stage reads: shards, their spec, and parameters."""
    directory = folder / paths.TFRECORDS
    directory.mkdir(parents=True)
    for number, shard in enumerate(shards):
        tfrecords.shard_path(directory, "train", number, len(shards)).symlink_to(shard)
    # Validated on images that are also trained on: nothing is said about accuracy here.
    tfrecords.shard_path(directory, "validation", 0, 1).symlink_to(shards[0])
    spec = tfrecords.read_spec(paths.TFRECORDS)
    counts = {"train": [SHARD] * len(shards), "validation": [SHARD]}
    tfrecords.write_spec(directory, Spec("generated", spec.classes, spec.image_shape, counts))
    shutil.copytree(ROOT / "drawings", folder / "drawings")
    content = YAML().load(ROOT / paths.PARAMS)
    content["recipe"], content["recipes"]["tiny"]["epochs"], content["train"]["memory_mb"] = "tiny", 1, memory_mb
    with (folder / paths.PARAMS).open("w", encoding="utf-8") as file:
        YAML().dump(content, file)


def train(folder: Path) -> dict[str, float]:
    """Returns the seconds, CPU seconds and peak memory, in MB, of the stage `train` in a folder, and its accuracy."""
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "stages.train"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    printed = child.run(command, folder, environment)
    seconds = time.perf_counter() - start
    peak, cpu_seconds = map(float, printed.split()[-2:])
    peak_mb = peak * (1 if sys.platform == "darwin" else 1024) / 1e6  # macOS counts bytes, Linux KiB
    accuracy = files.read_json(folder / paths.TRAIN_METRICS)["val_accuracy"]
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mb": peak_mb, "val_accuracy": accuracy}


if __name__ == "__main__":
    errors.run(main)

"""How near a training step comes to the processor's rate of float32 products, and where its time goes.

    python -m benchmarks.step

Reads `data/tfrecords`. Steps of the active recipe on a batch that is there already, alternately with products of large
matrices, which bound what a network can reach. `tf.profiler` then records some steps: the time of each kind of
operation (https://www.tensorflow.org/guide/profiler). Writes `benchmarks/results/step.json`.
"""

import argparse
import math
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks import machine, timing
from digits import architectures, params
from digits.core import errors, files, paths
from digits.inputs.targets import encode
from digits.models import determinism
from digits.splits import tfrecords
from digits.training import losses, optimizers

RESULTS = Path("benchmarks/results/step.json")
STEPS = 20  # of one measurement
SIDE = 2048  # of the matrices
PRODUCTS = 10
OPERATION = re.compile(r"[\w./-]+:(\w+)")  # node and kind, as the profiler names an operation's event


def main() -> None:
    """Measures alternately, then profiles, and prints both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=timing.count, default=7, help="measurements of each kind")
    parser.add_argument("--recipe", default=params.load().recipe, help="a block of params.yaml")
    arguments = parser.parse_args()
    parameters = params.load()
    recipe = parameters.recipe_named(arguments.recipe)
    determinism.configure(parameters.processor, parameters.train.precision)
    spec, train = tfrecords.read_spec(paths.TFRECORDS), tfrecords.read(paths.TFRECORDS, "train")
    targets = encode(train.labels, len(spec.classes), recipe.loss)
    batch = tuple(tf.constant(part[: recipe.batch_size]) for part in (train.images, targets))

    has_outliers = recipe.outlier_share > 0
    network = architectures.build(recipe.model, train.images.shape[1:], len(spec.classes), background=has_outliers)
    optimizer = optimizers.build(recipe.optimizer, recipe.schedule, STEPS)
    losses.compile_model(network, optimizer, recipe.loss, from_logits=True, outliers=has_outliers)
    matrix = tf.random.stateless_normal([SIDE, SIDE], [0, 0])

    def steps() -> None:
        for _ in range(STEPS):
            network.train_on_batch(*batch)

    def products() -> None:
        for _ in range(PRODUCTS):
            tf.linalg.matmul(matrix, matrix).numpy()

    steps()  # traces the functions
    products()
    seconds = timing.alternately({"steps": steps, "products": products}, arguments.rounds)
    step = timing.summary([1000 * value / STEPS for value in seconds["steps"]])
    flops = 2 * multiplications(network) * recipe.batch_size
    content = {
        "machine": machine.describe(),
        "recipe": arguments.recipe,
        "batch_size": recipe.batch_size,
        "million_multiplications": multiplications(network) / 1e6,
        "step_ms": step,
        "step_gflops": flops / step["median"] / 1e6,
        "products_gflops": timing.summary([2 * SIDE**3 * PRODUCTS / value / 1e9 for value in seconds["products"]]),
        "operations_ms": {name: total / STEPS for name, total in profiled(steps).most_common(12)},
    }
    files.write_json(RESULTS, content)
    print(f"step {step}\n{content['step_gflops']:.0f} of {content['products_gflops']['median']:.0f} GFLOP/s")
    for name, milliseconds in content["operations_ms"].items():
        print(f"{milliseconds:8.2f} ms  {name}")


def multiplications(network: keras.Model) -> int:
    """Returns the multiply-adds of one image's training: of the outputs, of both gradients, not of the images' own."""
    total, first = 0, True
    for layer in network.layers:
        kernel = next((weight for weight in layer.weights if weight.name == "kernel"), None)
        if kernel is not None:
            positions = math.prod(layer.output.shape[1:-1])
            total += (2 if first else 3) * positions * math.prod(kernel.shape)
            first = False
    return total


def profiled(steps: Callable[[], object]) -> Counter[str]:
    """Returns the milliseconds of each kind of operation, of all threads together."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        steps()
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        space.ParseFromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    return operations(space)


def operations(space: xplane_pb2.XSpace) -> Counter[str]:
    """Sums the events that are operations: their names are `node:Kind`."""
    total: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                if match := OPERATION.fullmatch(plane.event_metadata[event.metadata_id].name):
                    total[match[1]] += event.duration_ps / 1e9
    return total


if __name__ == "__main__":
    errors.run(main)

"""How fast training images are distorted, and how long a training step waits for them.

    python -m benchmarks.input

Reads `data/tfrecords`. Steps are of the active recipe, once on a batch that is there already and once on batches as the
training gets them; the difference is the time that the input costs. Writes `benchmarks/results/input.json`.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf

from benchmarks import machine, timing
from digits import architectures, params
from digits.core import errors, files, paths
from digits.inputs import batches, training_data
from digits.models import determinism
from digits.splits import tfrecords
from digits.training import losses, optimizers

RESULTS = Path("benchmarks/results/input.json")
STEPS = 50  # of one measurement
AHEAD = 8  # times as many batches are distorted, so that those made ahead of the first do not count


def main() -> None:
    """Measures steps alternately, then the distortions, and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each kind")
    arguments = parser.parse_args()
    parameters = params.load()
    recipe = parameters.active_recipe
    determinism.configure(parameters.processor, parameters.train.precision)
    spec, train = tfrecords.read_spec(paths.TFRECORDS), tfrecords.read(paths.TFRECORDS, "train")
    examples = training_data.with_outliers(train, recipe, len(spec.classes), parameters.seed)

    def stream(moved: float) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        return iter(
            batches.shuffled(
                examples,
                batch_size=recipe.batch_size,
                augmentation=recipe.augmentation.model_copy(update={"moved": moved}),
                seed=parameters.seed,
                steps=STEPS * max(arguments.rounds + 1, AHEAD + 1),
            )
        )

    network = architectures.build(recipe.model, train.images.shape[1:], len(spec.classes))
    optimizer = optimizers.build(recipe.optimizer, recipe.schedule, STEPS)
    losses.compile_model(network, optimizer, recipe.loss, from_logits=True, outliers=recipe.outlier_share > 0)
    training = stream(recipe.augmentation.moved)
    same = itertools.repeat(next(stream(recipe.augmentation.moved)))

    def fit(source: Iterator[tuple[tf.Tensor, tf.Tensor]]) -> None:
        for batch in itertools.islice(source, STEPS):
            network.train_on_batch(*batch)

    def distorted_per_second() -> float:
        source = stream(1.0)
        next(source)
        start = time.perf_counter()
        count = sum(1 for _ in itertools.islice(source, AHEAD * STEPS))
        return count * recipe.batch_size / (time.perf_counter() - start)

    tasks: dict[str, Callable[[], object]] = {
        "steps": lambda: fit(same),
        "steps with input": lambda: fit(training),
    }
    for task in tasks.values():
        task()  # traces the functions
    seconds = timing.alternately(tasks, arguments.rounds)
    rate = [distorted_per_second() for _ in range(arguments.rounds)]
    content = {
        "machine": machine.describe(),
        "recipe": parameters.recipe,
        "images_per_second": timing.summary(rate),
        "step_ms": timing.summary([1000 * value / STEPS for value in seconds["steps"]]),
        "step_with_input_ms": timing.summary([1000 * value / STEPS for value in seconds["steps with input"]]),
    }
    files.write_json(RESULTS, content)
    for name in ("images_per_second", "step_ms", "step_with_input_ms"):
        print(f"{name:20} {content[name]}")


if __name__ == "__main__":
    errors.run(main)

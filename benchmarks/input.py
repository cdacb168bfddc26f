"""How fast training images are distorted, and how long a training step waits for them.

    python -m benchmarks.input

Reads `data/tfrecords`. Steps are of the active recipe, once on a batch that is there already and once on batches as the
training gets them. The difference is the time that the input takes from the step, on the same cores; the wait is the
time until the next batch is there. Writes `benchmarks/results/input.json`.
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
    parser.add_argument("--rounds", type=timing.count, default=7, help="measurements of each kind")
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

    has_outliers = recipe.outlier_share > 0
    network = architectures.build(recipe.model, train.images.shape[1:], len(spec.classes), background=has_outliers)
    optimizer = optimizers.build(recipe.optimizer, recipe.schedule, STEPS)
    losses.compile_model(network, optimizer, recipe.loss, from_logits=True, outliers=has_outliers)
    training = stream(recipe.augmentation.moved)
    same = itertools.repeat(next(stream(recipe.augmentation.moved)))

    waits = []

    def fit(source: Iterator[tuple[tf.Tensor, tf.Tensor]]) -> None:
        start = time.perf_counter()
        waited = 0.0
        for _ in range(STEPS):
            asked = time.perf_counter()
            batch = next(source)
            waited += time.perf_counter() - asked
            network.train_on_batch(*batch)
        if source is training:
            waits.append(waited / (time.perf_counter() - start))

    def distorted_per_second(moved: float) -> float:
        source = stream(moved)
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
    shares = {"images_per_second": recipe.augmentation.moved, "images_per_second_all_moved": 1.0}
    rates: dict[str, list[float]] = {name: [] for name in shares}
    for _ in range(arguments.rounds):
        for name, share in shares.items():
            rates[name].append(distorted_per_second(share))
    found = {
        **{name: timing.summary(values) for name, values in rates.items()},
        "step_ms": timing.summary([1000 * value / STEPS for value in seconds["steps"]]),
        "step_with_input_ms": timing.summary([1000 * value / STEPS for value in seconds["steps with input"]]),
        "waiting": timing.summary(waits[1:]),
    }
    content = {"machine": machine.describe(), "recipe": parameters.recipe, **found}
    files.write_json(RESULTS, content)
    for name, values in found.items():
        print(f"{name:28} {values}")


if __name__ == "__main__":
    errors.run(main)

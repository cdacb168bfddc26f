"""Latency of one image: `model.predict` beside the exported files, and their sizes.

    python -m benchmarks.inference

Reads `models/` and one test image. Writes `benchmarks/results/inference.json`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import machine, timing
from digits import params
from digits.core import errors, files, paths
from digits.export import backends
from digits.models import determinism, keras_file
from digits.splits import tfrecords

RESULTS = Path("benchmarks/results/inference.json")
CALLS = 50  # of one measurement


def main() -> None:
    """Measures all formats alternately and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=timing.count, default=7, help="measurements of each format")
    arguments = parser.parse_args()
    parameters = params.load()
    determinism.configure(parameters.processor)
    image = tfrecords.read(paths.TFRECORDS, "test").images[:1]
    model = keras_file.load(paths.MODEL)
    answers: dict[str, Callable[[np.ndarray], object]] = {
        "model.predict": lambda pixels: model.predict(pixels, verbose=0),
    }
    for path in (paths.LITERT, paths.LITERT_INT8, paths.ONNX):
        answers[path.name] = backends.load(path, parameters.processor.threads)

    def calls(answer: Callable[[np.ndarray], object]) -> Callable[[], None]:
        def repeat() -> None:
            for _ in range(CALLS):
                answer(image)

        return repeat

    tasks = {name: calls(answer) for name, answer in answers.items()}
    for task in tasks.values():
        task()
    seconds = timing.alternately(tasks, arguments.rounds)
    latency = {name: timing.summary([1000 * value / CALLS for value in values]) for name, values in seconds.items()}
    for name, values in latency.items():
        print(f"{name:20} {values}")
    sizes = {path.name: path.stat().st_size for path in (paths.LITERT, paths.LITERT_INT8, paths.ONNX)}
    files.write_json(
        RESULTS, {"machine": machine.describe(), "recipe": parameters.recipe, "latency_ms": latency, "bytes": sizes}
    )


if __name__ == "__main__":
    errors.run(main)

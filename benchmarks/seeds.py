"""How good and how fast is the active recipe? Mean and spread over several seeds, on the data of `data/tfrecords`.

    make bench              # five seeds, beginning with that of params.yaml
    make bench SEEDS=10

The validation split stays the same; initial weights, order and distortions differ. The first seed is the pipeline's
own: its accuracy is that of `metrics/test.json`. Writes `benchmarks/seeds.json`.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from digits import artifacts, errors, models, params, paths, records, runtime, scoring, training
from digits.checkpoints import Checkpoint

RESULTS = Path("benchmarks/seeds.json")


def main() -> None:
    """Trains once a seed and prints a line each, then mean and standard deviation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds; a spread takes at least two")
    count = parser.parse_args().seeds
    if count < 2:
        parser.error("a spread takes at least two seeds")
    parameters = params.load()
    runtime.configure(parameters.train.threads)
    runs = [measure(parameters, seed) for seed in range(parameters.seed, parameters.seed + count)]
    summary = {name: spread([run[name] for run in runs]) for name in runs[0] if name != "seed"}
    for name, figures in summary.items():
        print(
            f"{name:20} {figures['mean']:.4f} +- {figures['sd']:.4f}   median {figures['median']:.4f}   n {len(runs)}"
        )
    artifacts.write_json(RESULTS, {"recipe": parameters.recipe, "machine": machine(), "summary": summary, "runs": runs})


def measure(parameters: params.Params, seed: int) -> dict[str, Any]:
    """Trains with one seed and scores on validation and test; nothing is chosen by these figures."""
    spec = records.read_spec(paths.TFRECORDS)
    train, validation, test = (records.read(paths.TFRECORDS, name) for name in ("train", "validation", "test"))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        result = training.train(
            parameters.active_recipe,
            train,
            validation,
            classes=len(spec.classes),
            seed=seed,
            checkpoint=Checkpoint(Path(folder, "checkpoint.npz"), identity=seed),
            log_dir=Path(folder, "logs"),
        )
        seconds = time.perf_counter() - started
    summary = scoring.summarize(test.labels, models.probabilities(result.model, test.images), spec.classes)
    found = {
        "seed": seed,
        "validation_accuracy": result.history[-1]["val_accuracy"],
        "test_accuracy": summary["accuracy"],
        "test_loss": summary["loss"],
        "test_ece": summary["ece"],
        "training_seconds": seconds,
    }
    print(
        "  ".join(
            f"{name} {value:.4f}" if isinstance(value, float) else f"{name} {value}" for name, value in found.items()
        )
    )
    return found


def spread(values: list[float]) -> dict[str, float]:
    """Mean, standard deviation (n - 1), median and range."""
    return {
        "mean": statistics.mean(values),
        "sd": statistics.stdev(values),
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
    }


def machine() -> dict[str, Any]:
    """What the seconds were measured on."""
    processor = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        processor = models[0] if models else processor
    return {"processor": processor, "cores": os.cpu_count(), "python": platform.python_version()}


if __name__ == "__main__":
    errors.run(main)

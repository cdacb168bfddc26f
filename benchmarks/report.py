"""Writes `benchmarks/RESULTS.md` from what the other scripts measured: `make bench` runs it after each of them."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from digits.core import errors, files

FOLDER = Path("benchmarks")
RESULTS = FOLDER / "RESULTS.md"
COMPARED = Path("compare/metrics.json")  # of the committed comparison

Result = Mapping[str, Any]


def main() -> None:
    """Writes a section for each measurement there is."""
    sections = [
        "# Measurements",
        "Written by `make bench`; do not edit. Times depend on the machine and on what else it does: compare only what "
        "one run measured alternately. Medians, with the range.",
    ]
    for name, write in SECTIONS.items():
        path = FOLDER / "results" / f"{name}.json"
        if path.exists():
            result = files.read_json(path)
            sections += [*write(result), f"`make bench WHAT={name}`. {machine_text(result['machine'])}"]
    compared = files.read_json(COMPARED) if COMPARED.exists() else {}
    sections += seeds([files.read_json(path) for path in sorted((FOLDER / "seeds").glob("*.json"))], compared)
    files.write_text(RESULTS, "\n\n".join(sections) + "\n")


def training_time(result: Result) -> list[str]:
    """The default recipe beside the published CNN."""
    rows = [
        [
            str(entry["seed"]),
            f"{entry['published_seconds']:.0f} s",
            f"{entry['published_test_accuracy']:.2%}",
            f"{entry['seconds']:.0f} s",
            f"{entry['test_accuracy']:.2%}",
            f"{entry['published_seconds'] / entry['seconds']:.1f}",
        ]
        for entry in result["rounds"]
    ]
    scaled = result["published_epochs"]
    note = (
        "" if scaled == 10 else f" Measured with {scaled} epochs and scaled to ten; its accuracy is that of {scaled}."
    )
    return [
        f"## Training time: `{result['recipe']}` and the published CNN",
        "From process start to saved model, alternately. The published CNN is plain Keras on arrays, ten epochs."
        f"{note} Ratio: {spread(result['ratio'], '.1f')}.",
        table(["seed", "published", "its test accuracy", f"`{result['recipe']}`", "test accuracy", "ratio"], rows),
    ]


def input_(result: Result) -> list[str]:
    """The speed of the distortions and the time that a step waits."""
    names = ("images_per_second", "images_per_second_all_moved", "step_ms", "step_with_input_ms", "waiting")
    forms = (",.0f", ",.0f", ".1f", ".1f", ".1%")
    rate, rate_all, alone, fed, waiting = (spread(result[name], form) for name, form in zip(names, forms, strict=True))
    more = result["step_with_input_ms"]["median"] / result["step_ms"]["median"] - 1
    return [
        f"## Input of `{result['recipe']}`",
        f"The recipe's distortions: {rate} images a second; with all images moved {rate_all}. A training step takes "
        f"{alone} ms on a batch that is there already and {fed} ms with its input ({more:+.0%}), which uses the same "
        f"cores. It waits for the next batch for {waiting} of its time.",
    ]


def step(result: Result) -> list[str]:
    """The rate of a training step, and its profile."""
    rate, products = result["step_gflops"], result["products_gflops"]
    total = sum(result["operations_ms"].values())
    rows = [[f"`{name}`", f"{value:.2f}", f"{value / total:.0%}"] for name, value in result["operations_ms"].items()]
    return [
        f"## Training step of `{result['recipe']}`",
        f"{spread(result['step_ms'], '.1f')} ms for {result['batch_size']} images of "
        f"{result['million_multiplications']:.1f} million multiply-adds: {rate:.0f} GFLOP/s, "
        f"{rate / products['median']:.0%} of what products of large matrices reach: {spread(products, '.0f')}. Where "
        "the time goes, by `tf.profiler`, each operation's own time; two can run at once:",
        table(["operation", "ms a step", "share"], rows),
    ]


def precision(result: Result) -> list[str]:
    """float32 beside bfloat16."""
    rows = []
    for name, runs in result["runs"].items():
        row = [f"`{name}`", spread(result["seconds"][name], ".0f")]
        for split in ("validation_accuracy", "test_accuracy"):
            values = [run[split] for run in runs]
            deviation = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
            row.append(f"{statistics.mean(values):.2%}{deviation}")
        rows.append(row)
    return [
        f"## float32 and bfloat16, `{result['recipe']}`",
        "From process start to saved model, alternately; mean and standard deviation over the seeds.",
        table(["precision, instructions", "seconds", "validation accuracy", "test accuracy"], rows),
    ]


def inference(result: Result) -> list[str]:
    """The latency of each format."""
    slowest = result["latency_ms"]["model.predict"]["median"]
    rows = [
        [f"`{name}`", spread(values, ".3f"), f"{slowest / values['median']:.0f}", f"{result['bytes'].get(name, 0):,}"]
        for name, values in result["latency_ms"].items()
    ]
    rows[0][-1] = "-"
    return [
        f"## Latency of one image, `{result['recipe']}`",
        table(["", "ms", "times as fast as `model.predict`", "bytes"], rows),
    ]


def idle_repro(result: Result) -> list[str]:
    """`dvc repro` with nothing to do."""
    return [
        "## `dvc repro` with nothing to do",
        f"{spread(result['seconds']['ours'], '.2f')} s, an empty project of {result['stages']} stages "
        f"{spread(result['seconds']['empty'], '.2f')} s: ratio {spread(result['ratio'], '.2f')}.",
    ]


def streaming(result: Result) -> list[str]:
    """Memory and time of trainings on larger and larger sets, streamed and in memory."""
    columns = ("peak_mb", "seconds", "cpu_seconds")
    rows = [
        [
            f"{row['images']:,}",
            f"{row['data_mb']:.0f} MB",
            *(f"{row[kind][name]:,.0f}" for kind in ("streamed", "in_memory") for name in columns),
        ]
        for row in result["rows"]
    ]
    streamed = f"streamed (`train.memory_mb: {result['memory_mb']}`)"
    header = ["images", "on disk"]
    header += [name for kind in (streamed, "in memory") for name in (f"{kind}: peak MB", "seconds", "CPU seconds")]
    return [
        "## Sets larger than memory",
        "The stage `train`, one epoch of `tiny`, from process start to saved model, on distorted copies of MNIST's "
        "images. Peak memory is that of the process, TensorFlow included. One run each; other work on the machine "
        "lengthens the seconds, the CPU seconds less.",
        table(header, rows),
    ]


def transfer(result: Result) -> list[str]:
    """The accuracy of several networks on the test split and on other people's digits."""
    names = list(result["images"])
    rows = [[f"`{name}`", *(f"{row[kind]:.2%}" for kind in names)] for name, row in result["accuracies"].items()]
    correlations = [result["correlations"].get(name) for name in names]
    ranks = ["rank correlation", *("-" if value is None else f"{value:.2f}" for value in correlations)]
    return [
        "## Test split and other people's digits",
        "The networks of the comparison, one training each: accuracy, and Spearman's rank correlation with that on the "
        "test split.",
        table(["recipe", *(f"{name} ({result['images'][name]:,})" for name in names)], [*rows, ranks]),
    ]


SECTIONS = {
    "training_time": training_time,
    "step": step,
    "input": input_,
    "precision": precision,
    "inference": inference,
    "idle_repro": idle_repro,
    "streaming": streaming,
    "transfer": transfer,
}


def seeds(results: Sequence[Result], compared: Mapping[str, Result]) -> list[str]:
    """The accuracy of each recipe over seeds; marked where the comparison's run of the first seed has another."""
    if not results:
        return []
    rows, is_any_older = [], False
    for result in results:
        own = compared.get(result["recipe"], {}).get("test_accuracy")
        is_older = own is not None and own != result["runs"][0]["test_accuracy"]
        is_any_older |= is_older
        test, validation = result["summary"]["test_accuracy"], result["summary"]["validation_accuracy"]
        seconds = [run["training_seconds"] for run in result["runs"]]
        rows.append(
            [
                f"`{result['recipe']}`{' *' if is_older else ''}",
                str(len(result["runs"])),
                f"**{test['mean']:.2%}** ± {100 * test['sd']:.2f}",
                f"{test['min']:.2%} to {test['max']:.2%}",
                f"{validation['mean']:.2%} ± {100 * validation['sd']:.2f}",
                *(others(result["summary"].get(f"{name}_accuracy")) for name in ("drawings", "scikit_learn")),
                f"{statistics.median(seconds):.0f} s",
            ]
        )
    header = ["recipe", "n", "test accuracy, mean ± sd", "range", "validation accuracy", "drawings"]
    header += ["scikit-learn's digits", "training, median"]
    return [
        "## Accuracy over seeds",
        table(header, rows),
        *["\\* Of other sources or settings than those of the [comparison](../compare/REPORT.md)."] * is_any_older,
        "`make bench RECIPE=...`; the files in `benchmarks/seeds` name the machines.",
    ]


def others(values: Result | None) -> str:
    """The accuracy on digits of other people, where it was measured."""
    return f"{values['mean']:.2%} ± {100 * values['sd']:.2f}" if values else "-"


def machine_text(machine: Result) -> str:
    """One line on the machine."""
    vectors = ", ".join(machine["instructions"]) if "instructions" in machine else "instructions not noted"
    versions = ", ".join(
        f"{name} {machine[name]}" for name in ("keras", "tensorflow", "tensorflow-cpu") if name in machine
    )
    return f"{machine['cores']} cores of {machine['processor']} ({vectors}); {versions}."


def spread(values: Result, form: str) -> str:
    """Median, range and number."""
    number = f", n = {values['n']}" if "n" in values else ""
    return f"{values['median']:{form}} ({values['min']:{form}} to {values['max']:{form}}{number})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    errors.run(main)

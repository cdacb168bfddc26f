"""The text of the report, from metrics alone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

NOTHING = "-"
SIGNIFICANT = 0.05


def metrics(row: Row) -> dict[str, Any]:
    """Returns a recipe's metrics for `dvc metrics diff`."""
    unchanged = ("validation_accuracy", "training_accuracy", "weights", "bytes", "epochs", "seconds")
    metrics = {
        "test_accuracy": row["accuracy"],
        "test_accuracy_low": row["accuracy_low"],
        "test_accuracy_high": row["accuracy_high"],
        "test_loss": row["loss"],
        "test_ece": row["ece"],
        **{name: row[name] for name in unchanged},
    }
    published = row["published"].get("test_accuracy")
    if published is not None:
        metrics |= {"published_accuracy": published, "above_published": row["accuracy"] - published}
    return metrics


def report(
    rows: Sequence[Row],
    *,
    dataset: str,
    counts: Mapping[str, int],
    machines: Collection[str],
    seeds: Mapping[str, Any],
    p_values: Mapping[tuple[str, str], float],
    wrong_by_all: int,
) -> str:
    """Returns the text of the report.

    Args:
        rows: one a recipe, as `compare.report.row` makes them.
        dataset: the name of the dataset.
        counts: images by split.
        machines: the machines of the trainings.
        seeds: recipe -> results of `make bench`, if it was run.
        p_values: of each pair of recipes, adjusted for the number of pairs.
        wrong_by_all: test images that every recipe reads wrongly.
    """
    best = max(rows, key=lambda row: row["validation_accuracy"])
    parts = [
        f"# Comparison of the recipes on {dataset}",
        "Written by `make compare`; do not edit. Every recipe of `compare.recipes` in `params.yaml`, trained once with "
        f"the same seed on the same images ({counts['train']:,} to learn from, {counts['validation']:,} to watch, "
        f"unless the recipe holds more out), measured on the same {counts['test']:,} test images; no choice was made "
        f"on them. Intervals are 95 % (Wilson). Best on the validation split: `{best['recipe']}`, with "
        f"{_percent(best['accuracy'])} on the test split.",
        *_figures(rows, machines),
        *_published(rows),
        *_over_seeds(rows, seeds),
        *(_differences(rows, p_values) if p_values else []),
        "## Learning curves",
        "On the images that each recipe holds out itself; of an ensemble, the mean of its members. An epoch is a pass "
        "over the training images, or as many steps as the recipe's `steps_per_epoch`.",
        "![Validation errors after each epoch](plots/learning_curves.png)",
        f"## Test images misread by all recipes: {wrong_by_all} of {counts['test']:,}",
        "![The test images that every recipe reads wrongly](plots/hard_images.png)",
    ]
    return "\n\n".join(parts) + "\n"


def _figures(rows: Sequence[Row], machines: Collection[str]) -> list[str]:
    header = "recipe|test accuracy|validation accuracy|test loss|weights|file|training|published|difference"
    return [
        _table(header.split("|"), map(_figures_row, rows)),
        "Validation: the same images for all, whatever a recipe held out; they also chose settings and epochs, so they "
        "flatter, and the test images do not. Loss: mean cross-entropy in nats. File: the `.keras` file; those of "
        "the published recipes hold the optimiser's state. Training: seconds of all epochs with their validation, on "
        f"{' and '.join(sorted(machines))}.",
        "![Errors against seconds of training](plots/accuracy_cost.png)",
    ]


def _figures_row(row: Row) -> list[str]:
    published = row["published"].get("test_accuracy")
    validation = (row["validation_low"], row["validation_high"])
    return [
        f"`{row['recipe']}`",
        f"**{_percent(row['accuracy'])}** ({_percent(row['accuracy_low'])} to {_percent(row['accuracy_high'])})",
        f"{_percent(row['validation_accuracy'])} ({_percent(validation[0])} to {_percent(validation[1])})",
        f"{row['loss']:.4f}",
        f"{row['weights']:,}",
        f"{row['bytes'] / 1e6:.2f} MB",
        f"{row['seconds']:.0f} s",
        NOTHING if published is None else _percent(published),
        NOTHING if published is None else f"{100 * (row['accuracy'] - published):+.2f} points",
    ]


def _published(rows: Sequence[Row]) -> list[str]:
    """Lists each published metric beside ours, and other differences from the original."""
    published = [(row, key, row["published"][key]) for row in rows for key in PUBLISHED if key in row["published"]]
    notes = [f"- `{row['recipe']}`: {row['published']['differs']}" for row in rows if "differs" in row["published"]]
    if not published and not notes:
        return []
    lines = (
        [f"`{row['recipe']}`", PUBLISHED[key][0], PUBLISHED[key][2](theirs), PUBLISHED[key][2](row[PUBLISHED[key][1]])]
        for row, key, theirs in published
    )
    return [
        "## Published and measured figures",
        _table(["recipe", "figure", "published", "ours"], lines),
        *(["Where ours differ from them:", "\n".join(notes)] if notes else []),
    ]


def _over_seeds(rows: Sequence[Row], seeds: Mapping[str, Any]) -> list[str]:
    if not seeds:
        return []
    published = {row["recipe"]: row["published"].get("test_accuracy") for row in rows}
    text = [
        "The accuracy of one run depends on its seed. `make bench RECIPE=...` trains from several; its validation "
        "accuracy is that on the images that the recipe itself holds out."
    ]
    for name, results in seeds.items():
        if published[name] is not None:
            test, count = results["summary"]["test_accuracy"], len(results["runs"])
            where = "below" if published[name] < test["min"] else "above" if published[name] > test["max"] else "within"
            text.append(
                f"The published {_percent(published[name])} of `{name}` lies {where} the range of {count} seeds."
            )
    header = ["recipe", "n", "test accuracy, mean ± sd", "range", "validation accuracy", "published"]
    table = _table(header, (_seeds_row(name, results, published[name]) for name, results in seeds.items()))
    return ["## Over seeds", " ".join(text), table]


def _seeds_row(name: str, results: Mapping[str, Any], published: float | None) -> list[str]:
    test, validation = results["summary"]["test_accuracy"], results["summary"]["validation_accuracy"]
    return [
        f"`{name}`",
        str(len(results["runs"])),
        f"**{_percent(test['mean'])}** ± {100 * test['sd']:.2f}",
        f"{_percent(test['min'])} to {_percent(test['max'])}",
        f"{_percent(validation['mean'])} ± {100 * validation['sd']:.2f}",
        NOTHING if published is None else _percent(published),
    ]


def _differences(rows: Sequence[Row], p_values: Mapping[tuple[str, str], float]) -> list[str]:
    names = [row["recipe"] for row in rows]
    alike = [f"`{one}` and `{other}`" for (one, other), p_value in p_values.items() if p_value >= SIGNIFICANT]
    lines = (
        [f"`{one}`", *(_p_value(p_values[one, other]) if (one, other) in p_values else "" for other in names[1:])]
        for one in names[:-1]
    )
    return [
        "## Differences between recipes",
        "McNemar's exact test on the same test images: p-values of each two, adjusted for all "
        f"{len(p_values)} comparisons (Holm). Below {SIGNIFICANT} (bold) these two trained models differ "
        "significantly; other seeds may change that. "
        + (f"No significant difference: {'; '.join(alike)}." if alike else "All differences are significant."),
        _table(["", *names[1:]], lines),
    ]


def _p_value(value: float) -> str:
    text = "< 0.001" if value < 0.001 else f"{value:.3f}"
    return f"**{text}**" if value < SIGNIFICANT else text


def _percent(share: float) -> str:
    return f"{share:.2%}"


PUBLISHED = {  # key of published.yaml -> its name, the key of our value, and the format of both
    "test_accuracy": ("test accuracy", "accuracy", _percent),
    "validation_accuracy": ("validation accuracy", "validation_accuracy", _percent),
    "training_accuracy": ("training accuracy", "training_accuracy", _percent),
    "test_loss": ("test loss", "loss", "{:.4f}".format),
    "seconds": ("seconds of training", "seconds", "{:.0f}".format),
}


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

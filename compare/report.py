"""Stage `report`: the results of the runs in; a report, metrics for `dvc metrics diff`, and figures out."""

from collections import Counter
from collections.abc import Collection
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from ruamel.yaml import YAML

from compare import figures, markdown, places, statistics
from digits import params
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.splits import tfrecords

Row = dict[str, Any]
SHOWN = 24  # images that every recipe reads wrongly, at most


def main() -> None:
    """Writes the report; published metrics are compared on MNIST only, for which they were published."""
    parameters = params.load()
    names = parameters.compare.recipes
    spec = tfrecords.read_spec(paths.TFRECORDS)
    published = read_published(parameters.recipes) if spec.name == "mnist" else {}
    rows = [row(name, published.get(name, {})) for name in names]
    answers = {name: predictions(name) for name in names}
    correct = {name: np.array([a["predicted"] == a["actual"] for a in table]) for name, table in answers.items()}

    files.write_json(places.METRICS, {r["recipe"]: markdown.metrics(r) for r in rows})
    for name, figure in pictures(rows, answers, correct).items():
        files.write_figure(places.PLOTS / f"{name}.png", figure)
    text = markdown.report(
        rows,
        dataset=spec.name,
        counts=spec.counts,
        machines={r["machine"] for r in rows},
        seeds={r["recipe"]: results for r in rows if (results := seeds(r, parameters.seed))} if published else {},
        p_values=statistics.pairwise(correct),
        wrong_by_all=int((~np.any(list(correct.values()), axis=0)).sum()),
    )
    files.write_text(places.REPORT, text)
    print(f"see {places.REPORT}")


def row(name: str, published: dict[str, Any]) -> Row:
    """Returns the metrics of one recipe."""
    folder = places.RESULTS / name
    cost = files.read_json(places.COST / f"{name}.json")
    scores = files.read_json(folder / places.SCORES)
    return {
        "recipe": name,
        **{key: scores["test"][key] for key in ("accuracy", "accuracy_low", "accuracy_high", "loss", "ece")},
        "validation_accuracy": scores["validation"]["accuracy"],
        "validation_low": scores["validation"]["accuracy_low"],
        "validation_high": scores["validation"]["accuracy_high"],
        "training_accuracy": scores["training"]["accuracy"],
        "weights": scores["training"]["weights"],
        "epochs": scores["training"]["epochs"],
        "bytes": (folder / places.MODEL).stat().st_size,
        "seconds": cost["seconds"],
        "machine": f"{cost['machine']['cores']} cores of {cost['machine']['processor']}",
        "published": published,
    }


def read_published(recipes: Collection[str]) -> dict[str, dict[str, Any]]:
    """Reads the metrics that the originals publish, by recipe.

    Raises:
        UserError: a name is no recipe, or a metric is not one of the report's.
    """
    published: dict[str, dict[str, Any]] = YAML(typ="safe").load(places.PUBLISHED)
    for name, keys in published.items():
        if unknown := ({name} - set(recipes)) | (set(keys) - {"differs", *markdown.PUBLISHED}):
            raise UserError(f"{places.PUBLISHED}: unknown name {', '.join(sorted(unknown))}")
    return published


def seeds(row: Row, seed: int) -> dict[str, Any] | None:
    """Reads a recipe's results of `make bench`, if its run of the same seed has the same test accuracy."""
    file = places.SEEDS / f"{row['recipe']}.json"
    if not file.exists():
        return None
    results = files.read_json(file)
    same = [run["test_accuracy"] for run in results["runs"] if run["seed"] == seed]
    if same != [row["accuracy"]]:
        print(f"{file}: of another version of the recipe, so left out; run `make bench RECIPE={row['recipe']}`")
        return None
    return results


def predictions(name: str) -> list[Row]:
    """Reads a recipe's predictions for the test images."""
    columns = {"actual": str, "predicted": str, "confidence": float}
    return files.read_csv(places.RESULTS / name / places.PREDICTIONS, columns)


def pictures(rows: list[Row], answers: dict[str, list[Row]], correct: dict[str, np.ndarray]) -> dict[str, Figure]:
    """Draws accuracy against cost, the learning curves, and the images that every recipe reads wrongly."""
    columns = {"epoch": int, "val_accuracy": float}
    histories = {r["recipe"]: files.read_csv(places.RESULTS / r["recipe"] / places.HISTORY, columns) for r in rows}
    hard = np.flatnonzero(~np.any(list(correct.values()), axis=0))
    captions = []
    for index in hard[:SHOWN]:
        read_as = Counter(table[index]["predicted"] for table in answers.values()).most_common()
        actual = next(iter(answers.values()))[index]["actual"]
        captions.append(f"{actual}, read as\n" + ", ".join(f"{answer} ({count})" for answer, count in read_as))
    images = tfrecords.read(paths.TFRECORDS, "test").images[hard[:SHOWN]]
    return {
        "accuracy_cost": figures.accuracy_against_cost(rows),
        "learning_curves": figures.learning_curves(histories),
        "hard_images": figures.hard_images(images, captions, total=len(hard), recipes=len(rows)),
    }


if __name__ == "__main__":
    errors.run(main)

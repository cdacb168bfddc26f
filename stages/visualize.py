"""Stage `visualize`: what the other stages wrote in, pictures out."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from digits import (
    artifacts,
    augmentation,
    diagrams,
    errors,
    figures,
    models,
    params,
    paths,
    records,
    scoring,
    splitting,
)

SAMPLES_PER_CLASS = 8
DISTORTED, VERSIONS = 6, 9
RELIABILITY = ["confidence", "accuracy", "accuracy_low", "accuracy_high", "count"]
SHOWCASE = ["samples_index", "samples_images", "samples_probabilities", "mistakes_index", "mistakes_images"]

Pictures = dict[str, Figure]


def main() -> None:
    """Draws the data, the network, the training and the results."""
    parameters = params.load()
    limits, seed = parameters.active_recipe.augmentation, parameters.seed
    for name, figure in {**data_pictures(limits, seed), **training_pictures(), **result_pictures()}.items():
        artifacts.write_figure(paths.PLOTS / f"{name}.png", figure)
    model = models.load(paths.MODEL)
    artifacts.write_text(paths.SUMMARY, diagrams.summary(model))
    artifacts.write_text(paths.ARCHITECTURE, diagrams.dot(model))


def data_pictures(limits: params.Augmentation, seed: int) -> Pictures:
    """The balance of the classes, some training images, and what augmentation makes of them."""
    classes = records.read_spec(paths.TFRECORDS).classes
    train = records.read(paths.TFRECORDS, "train")
    samples = train.take(splitting.first_of_each_class(train.labels, SAMPLES_PER_CLASS))
    captions = [classes[label] for label in samples.labels]
    original = train.take(splitting.first_of_each_class(train.labels, 1)).images[:DISTORTED]
    versions = [augmentation.distort(original, (seed, version), limits) for version in range(VERSIONS)]
    counts = {name: split["per_class"] for name, split in artifacts.read_json(paths.DATA_METRICS)["splits"].items()}
    return {
        "class_balance": figures.class_balance(counts),
        "samples": figures.gallery(samples.images, captions, title="training images", columns=SAMPLES_PER_CLASS),
        "augmentation": figures.augmentation(original, np.stack(versions, axis=1)),
    }


def training_pictures() -> Pictures:
    """How loss and accuracy went."""
    curves = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
    history = artifacts.read_csv(paths.HISTORY, {"epoch": int, **dict.fromkeys(curves, float)})
    return {"training_curves": figures.training_curves(history)}


def result_pictures() -> Pictures:
    """What the test split showed; the images come from `evaluate`, which alone measures on that split."""
    classes = records.read_spec(paths.TFRECORDS).classes
    rows = artifacts.read_csv(paths.PREDICTIONS, {"actual": str, "predicted": str, "confidence": float})
    table = artifacts.read_csv(paths.CALIBRATION, dict.fromkeys(RELIABILITY, float))
    showcase = artifacts.read_arrays(paths.SHOWCASE, SHOWCASE)
    matrix = confusion_matrix([r["actual"] for r in rows], [r["predicted"] for r in rows], labels=classes)
    wrong = [rows[place] for place in showcase["mistakes_index"]]
    captions = [f"{row['actual']}, read as {row['predicted']}\n{figures.percent(row['confidence'])}" for row in wrong]
    labels = [classes.index(rows[place]["actual"]) for place in showcase["samples_index"]]
    return {
        "confusion": figures.confusion(matrix, classes),
        "mistakes": figures.gallery(showcase["mistakes_images"], captions, title="hardest mistakes, test split"),
        "predictions": figures.sample_predictions(
            showcase["samples_images"], showcase["samples_probabilities"], labels, classes
        ),
        "reliability": figures.reliability(table, scoring.calibration_error(table)),
    }


if __name__ == "__main__":
    errors.run(main)

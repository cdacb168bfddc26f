"""Which pictures there are: from what the stages wrote to named figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from digits import augmentation, figures, scoring, splitting
from digits.examples import Split
from digits.params import Augmentation

SAMPLES_PER_CLASS = 8
DISTORTED, VERSIONS = 6, 9

Pictures = dict[str, Figure]
Rows = Sequence[Mapping[str, Any]]


def of_data(
    train: Split, classes: Sequence[str], counts: Mapping[str, Mapping[str, int]], limits: Augmentation, seed: int
) -> Pictures:
    """The balance of the classes, some training images, and what augmentation makes of them.

    Args:
        train: the training split.
        classes: the names of the classes in the order of their labels.
        counts: split -> class -> number of images.
        limits: the largest distortions.
        seed: of the distortions that are shown.
    """
    samples = train.take(splitting.first_of_each_class(train.labels, SAMPLES_PER_CLASS))
    captions = [classes[label] for label in samples.labels]
    original = train.take(splitting.first_of_each_class(train.labels, 1)).images[:DISTORTED]
    versions = [augmentation.distort(original, (seed, version), limits) for version in range(VERSIONS)]
    return {
        "class_balance": figures.class_balance(counts),
        "samples": figures.gallery(samples.images, captions, title="training images", columns=SAMPLES_PER_CLASS),
        "augmentation": figures.augmentation(original, np.stack(versions, axis=1)),
    }


def of_training(history: Rows) -> Pictures:
    """How loss and accuracy went."""
    return {"training_curves": figures.training_curves(history)}


def of_results(
    predictions: Rows, calibration: Sequence[dict[str, Any]], showcase: Mapping[str, np.ndarray], classes: list[str]
) -> Pictures:
    """What the test split showed.

    Args:
        predictions: rows of `digits.scoring.predictions`.
        calibration: rows of `digits.scoring.reliability`.
        showcase: the arrays of `digits.scoring.showcase`.
        classes: the names of the classes in the order of their labels.
    """
    actual, predicted = ([row[name] for row in predictions] for name in ("actual", "predicted"))
    wrong = [predictions[place] for place in showcase["mistakes_index"]]
    captions = [f"{row['actual']}, read as {row['predicted']}\n{figures.percent(row['confidence'])}" for row in wrong]
    labels = [classes.index(predictions[place]["actual"]) for place in showcase["samples_index"]]
    return {
        "confusion": figures.confusion(confusion_matrix(actual, predicted, labels=classes), classes),
        "mistakes": figures.gallery(showcase["mistakes_images"], captions, title="hardest mistakes, test split"),
        "predictions": figures.sample_predictions(
            showcase["samples_images"], showcase["samples_probabilities"], labels, classes
        ),
        "reliability": figures.reliability(calibration, scoring.calibration_error(calibration)),
    }


def of_trust(
    trade_off: Rows, sure: float, stress: Rows, stressed: Mapping[str, np.ndarray], classes: list[str]
) -> Pictures:
    """When to believe the answer, and what it is worth where the dataset ends.

    Args:
        trade_off: rows of `digits.calibration.trade_off`.
        sure: the confidence from which on an answer is given.
        stress: rows of `digits.robustness.under_stress`.
        stressed: `examples`, an image under each of these distortions; where there are any, the arrays of
            `digits.robustness.misread`.
        classes: the names of the classes in the order of their labels.
    """
    captions = [f"{row['distortion']}\n{row['strength']:g}" for row in stress]
    answers = zip(stressed.get("misread_labels", ()), stressed.get("misread_answers", ()), strict=True)
    misread = [f"{classes[label]}, read as {classes[answer]}" for label, answer in answers]
    images = stressed.get("misread_images", np.zeros((0, 1, 1, 1), np.uint8))
    return {
        "refusal": figures.refusal(trade_off, sure),
        "robustness": figures.robustness(stress),
        "stressed": figures.gallery(stressed["examples"], captions, title="the distortions", columns=9),
        "misread": figures.gallery(
            images, misread, title="other people's digits, misread" if misread else "none misread"
        ),
    }

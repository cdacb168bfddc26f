"""Chooses the thresholds on the validation split, then measures a model on the test split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digits.core.errors import UserError
from digits.evaluation.examples import Network
from digits.metrics import calibration, scoring
from digits.metrics.decision import consequences, decide, trade_off
from digits.models.metadata import Metadata
from digits.splits.split import Split

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Report:
    """The metrics and tables of one model.

    Attributes:
        metadata: of the model, with its thresholds.
        validation_metrics: on the validation split, as `digits.metrics.scoring.summarize` returns them.
        test_metrics: the same on the test split.
        ece_uncalibrated: the test split's expected calibration error, 0 to 1, without the model's temperature.
        consequences: the thresholds measured on the test split.
        predictions: a row for each test image.
        per_class: a row for each class, test split.
        reliability: a row for each bin of confidence, test split.
        trade_off: a row for each threshold, validation split.
        probabilities: of the test images, float32 `[N, classes]`.
    """

    metadata: Metadata
    validation_metrics: dict[str, Any]
    test_metrics: dict[str, Any]
    ece_uncalibrated: float
    consequences: dict[str, float]
    predictions: Rows
    per_class: Rows
    reliability: Rows
    trade_off: Rows
    probabilities: np.ndarray

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics/test.json`."""
        return {**self.test_metrics, "ece_uncalibrated": self.ece_uncalibrated, "decision": self.consequences}


def evaluate(
    network: Network,
    validation: Split,
    test: Split,
    *,
    recipe: str,
    dataset: str,
    classes: Sequence[str],
    temperature: float,
    promises: Mapping[str, float],
) -> Report:
    """Chooses the thresholds on `validation` and measures on `test`.

    Args:
        network: from images, uint8 `[N, H, W, C]`, to calibrated probabilities, float32 `[N, classes]`.
        validation: the split to choose on.
        test: the split to measure on.
        recipe: the name of the recipe.
        dataset: the name of the dataset.
        classes: the names of the classes in the order of their labels.
        temperature: the model's divisor of its logits.
        promises: the keyword arguments of `digits.metrics.decision.decide`.
    """
    validation_probabilities, probabilities = network(validation.images), network(test.images)
    decision = decide(validation.labels, validation_probabilities, **promises)
    summary = scoring.summarize(test.labels, probabilities, classes)
    return Report(
        metadata=Metadata(recipe, dataset, classes, test.images.shape[1:], decision, summary),
        validation_metrics=scoring.summarize(validation.labels, validation_probabilities, classes),
        test_metrics=summary,
        ece_uncalibrated=_uncalibrated_error(test.labels, probabilities, temperature),
        consequences=consequences(decision, test.labels, probabilities),
        predictions=scoring.predictions(test.labels, probabilities, classes),
        per_class=scoring.per_class(test.labels, probabilities, classes),
        reliability=scoring.reliability(test.labels, probabilities),
        trade_off=trade_off(validation.labels, validation_probabilities),
        probabilities=probabilities,
    )


def _uncalibrated_error(labels: np.ndarray, probabilities: np.ndarray, temperature: float) -> float:
    uncalibrated = calibration.apply_temperature(probabilities, 1 / temperature)
    return scoring.calibration_error(scoring.reliability(labels, uncalibrated))


def check_gate(report: Report, gates: Mapping[str, float]) -> None:
    """Raises if the test accuracy is below the recipe's gate for the dataset.

    Args:
        report: of the model.
        gates: dataset -> accuracy, 0 to 1: the recipe's entry of `evaluate.min_accuracy`.

    Raises:
        UserError: the accuracy is below the gate.
    """
    recipe, dataset, accuracy = report.metadata.recipe, report.metadata.dataset, report.test_metrics["accuracy"]
    key = f"evaluate.min_accuracy.{recipe}.{dataset}"
    if dataset not in gates:
        print(f"no gate: {key} is not set")
    elif accuracy < gates[dataset]:
        raise UserError(
            f"test accuracy {accuracy:.4f} is below {key} = {gates[dataset]}; see metrics/test.json, then improve the "
            "recipe or lower the gate in params.yaml"
        )

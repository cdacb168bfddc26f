"""Model metadata: class names, image shape, decision thresholds, test accuracy; without TensorFlow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digits.core import files
from digits.core.errors import UserError
from digits.core.files import ANEW
from digits.metrics.decision import Decision

TEST_FIGURES = ("accuracy", "accuracy_low", "accuracy_high", "total")


@dataclass(frozen=True)
class Metadata:
    """The contents of `about.json`.

    Attributes:
        recipe: the name of the recipe.
        dataset: the name of the dataset that it was trained on.
        classes: the names of the classes in the order of the probabilities.
        image_shape: height, width and channels of an image.
        decision: the confidence thresholds.
        test: accuracy on the test split with its 95 % interval, and the number of its images.
    """

    recipe: str
    dataset: str
    classes: Sequence[str]
    image_shape: tuple[int, int, int]
    decision: Decision
    test: Mapping[str, float]

    def write(self, path: Path) -> None:
        """Writes the metadata as JSON."""
        content = {
            "recipe": self.recipe,
            "dataset": self.dataset,
            "classes": list(self.classes),
            "image_shape": list(self.image_shape),
            "decision": self.decision.as_dict(),
            "test": {name: self.test[name] for name in TEST_FIGURES},
        }
        files.write_json(path, content)


def read(path: Path) -> Metadata:
    """Reads what `Metadata.write` wrote.

    Raises:
        UserError: the file is damaged.
    """
    content: dict[str, Any] = files.read_json(path)
    try:
        height, width, channels = content["image_shape"]
        return Metadata(
            recipe=content["recipe"],
            dataset=content["dataset"],
            classes=content["classes"],
            image_shape=(height, width, channels),
            decision=Decision(**{name: float(value) for name, value in dict(content["decision"]).items()}),
            test={name: content["test"][name] for name in TEST_FIGURES},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: damaged ({error}); {ANEW}") from error

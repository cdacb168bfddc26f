"""What somebody who uses a trained model must know beside its file; without TensorFlow."""

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
        recipe: what was trained.
        dataset: on what.
        classes: the names of the classes in the order of the probabilities.
        image_shape: height, width and channels of an image.
        decision: from which confidence on to answer.
        test: accuracy on the test split with its 95 % interval, and the number of its images.
    """

    recipe: str
    dataset: str
    classes: Sequence[str]
    image_shape: tuple[int, int, int]
    decision: Decision
    test: Mapping[str, float]

    def write(self, path: Path) -> None:
        """Writes a JSON file."""
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
    """What `Metadata.write` wrote.

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

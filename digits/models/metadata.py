"""Model metadata: class names, image shape, decision thresholds, test accuracy; without TensorFlow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from digits.core import files
from digits.core.errors import UserError
from digits.core.files import ANEW
from digits.metrics.decision import NEVER, Decision
from digits.params.base import Count, Section, Share, first_problem

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


Name = Annotated[str, Field(min_length=1)]


class _Thresholds(Section):
    sure: Annotated[float, Field(ge=0, le=NEVER)]
    known: Annotated[float, Field(ge=0, le=NEVER)]

    @model_validator(mode="after")
    def _in_order(self) -> "_Thresholds":
        if self.known > self.sure:
            raise ValueError(f"known, {self.known}, is above sure, {self.sure}")
        return self


class _TestFigures(Section):
    accuracy: Share
    accuracy_low: Share
    accuracy_high: Share
    total: Count


class _Content(Section):
    recipe: Name
    dataset: Name
    classes: Annotated[list[Name], Field(min_length=2)]
    image_shape: Annotated[list[Count], Field(min_length=3, max_length=3)]
    decision: _Thresholds
    test: _TestFigures

    @model_validator(mode="after")
    def _classes_differ(self) -> "_Content":
        if twice := sorted({name for name in self.classes if self.classes.count(name) > 1}):
            raise ValueError(f"classes: {', '.join(twice)} is there more than once")
        return self


def read(path: Path) -> Metadata:
    """Reads what `Metadata.write` wrote.

    Raises:
        UserError: a key is missing or unknown, or a value is of another type or range.
    """
    try:
        content = _Content.model_validate(files.read_json(path))
    except ValidationError as error:
        raise UserError(f"{path}: damaged ({first_problem(error)}); {ANEW}") from error
    height, width, channels = content.image_shape
    return Metadata(
        recipe=content.recipe,
        dataset=content.dataset,
        classes=content.classes,
        image_shape=(height, width, channels),
        decision=Decision(content.decision.sure, content.decision.known),
        test=content.test.model_dump(),
    )

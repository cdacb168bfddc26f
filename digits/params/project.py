"""The schema of the whole `params.yaml`, block by block."""

import difflib
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from digits.core.errors import UserError
from digits.params.base import Count, Fraction, Section, Share, check_keys
from digits.params.recipe import Recipe


class Pictures(Section):
    """How image files in a folder become images, see `digits.datasets.pictures`."""

    framed: bool
    size: Count | None
    channels: Literal[1, 3]


class Preprocess(Section):
    """How the raw arrays become TFRecords, and the limits of the checks before that."""

    validation_fraction: Annotated[float, Field(gt=0, lt=1)]
    shards: Count
    max_imbalance: Annotated[float, Field(ge=1)]
    max_leakage: Share


class Processor(Section):
    """What TensorFlow uses of the processor; results depend on it, see `digits.models.determinism`."""

    threads: Count
    instructions: Literal["avx2", "all"]


class Train(Section):
    """The training settings that all recipes share."""

    precision: Literal["float32", "mixed_bfloat16"]
    strategy: Literal["one_device", "mirrored", "multi_worker"]
    memory_mb: Count


class Evaluate(Section):
    """The limits that set the thresholds (`digits.metrics.decision`); the gate: recipe -> dataset -> test accuracy."""

    max_error_when_sure: Share
    min_refused: Fraction
    max_rejected: Fraction
    min_accuracy: dict[str, dict[str, Share]]


class Robustness(Section):
    """The size of the robustness measurement, see `digits.evaluation.corruptions`."""

    images: Count


class Export(Section):
    """The conversion for other runtimes, see `digits.export.formats`."""

    representative_images: Count


class Compare(Section):
    """The recipes that `compare/` trains and compares."""

    recipes: Annotated[list[str], Field(min_length=1)]


def _check_base_keys(base: dict[str, Any]) -> dict[str, Any]:
    check_keys(base, Recipe.model_fields)
    return base


# Only the keys are checked here; the values are checked in the recipes that use the base.
Base = Annotated[dict[str, Any], AfterValidator(_check_base_keys)]


class Params(Section):
    """The whole of `params.yaml`."""

    dataset: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    pictures: Pictures
    preprocess: Preprocess
    recipe: str
    bases: dict[str, Base]
    recipes: dict[str, Recipe]
    processor: Processor
    train: Train
    evaluate: Evaluate
    robustness: Robustness
    export: Export
    compare: Compare

    @model_validator(mode="after")
    def _names_are_recipes(self) -> "Params":
        named = {
            "recipe": [self.recipe],
            "evaluate.min_accuracy": self.evaluate.min_accuracy,
            "compare.recipes": self.compare.recipes,
        }
        for key, names in named.items():
            for name in names:
                self._check_name(name, f"{key}: ")
        if ungated := [name for name in self.recipes if name not in self.evaluate.min_accuracy]:
            raise ValueError(f"evaluate.min_accuracy.{ungated[0]} is missing; {{}} means no gate")
        return self

    @model_validator(mode="after")
    def _bfloat16_needs_all_instructions(self) -> "Params":
        if self.train.precision == "mixed_bfloat16" and self.processor.instructions == "avx2":
            raise ValueError("train.precision: mixed_bfloat16 needs processor.instructions: all (AVX2 has no bfloat16)")
        return self

    def _check_name(self, name: str, where: str = "") -> None:
        if name not in self.recipes:
            near = difflib.get_close_matches(name, self.recipes, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.recipes)}"
            raise ValueError(f"{where}no block '{name}' under recipes; {hint}")

    @property
    def promises(self) -> dict[str, float]:
        """The limits that the thresholds keep on validation, arguments of `digits.metrics.decision.decide`."""
        return self.evaluate.model_dump(exclude={"min_accuracy"})

    @property
    def active_gates(self) -> dict[str, float]:
        """The gates of the active recipe: dataset -> minimum test accuracy, 0 to 1."""
        return self.evaluate.min_accuracy[self.recipe]

    @property
    def active_recipe(self) -> Recipe:
        """The recipe that is trained: the block that `recipe` names."""
        return self.recipe_named(self.recipe)

    def recipe_named(self, name: str) -> Recipe:
        """Returns the recipe of this name.

        Raises:
            UserError: there is none, or it contradicts the settings that all recipes share.
        """
        try:
            self._check_name(name)
        except ValueError as error:
            raise UserError(str(error)) from None
        recipe, least = self.recipes[name], self.preprocess.validation_fraction
        if recipe.validation_fraction and recipe.validation_fraction < least:
            raise UserError(
                f"recipes.{name}.validation_fraction is {recipe.validation_fraction}: it cannot be below "
                f"preprocess.validation_fraction = {least}; null uses that value"
            )
        needed = {"mirrored": "keras", "multi_worker": "gradient_tape"}.get(self.train.strategy, recipe.loop)
        if recipe.loop != needed:
            raise UserError(f"train.strategy: {self.train.strategy} needs recipes.{name}.loop: {needed}")
        return recipe

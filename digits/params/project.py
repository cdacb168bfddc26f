"""The whole of `params.yaml`, block by block."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from digits.core.errors import UserError
from digits.params.base import Count, Fraction, Section, Share
from digits.params.recipe import Recipe


class Preprocess(Section):
    """How the raw arrays become TFRecords, and what they must satisfy first."""

    validation_fraction: Annotated[float, Field(gt=0, lt=1)]
    shards: Count
    max_imbalance: Annotated[float, Field(ge=1)]
    max_leakage: Share


class Train(Section):
    """What all recipes share."""

    threads: Count
    precision: Literal["float32", "mixed_bfloat16"]
    strategy: Literal["one_device", "mirrored"]


class Evaluate(Section):
    """The thresholds' promises (`digits.metrics.decision`), and the gate: recipe -> dataset -> least test accuracy."""

    max_error: Share
    max_lost: Fraction
    min_accuracy: dict[str, dict[str, Share]]


class Robustness(Section):
    """What the network is shown besides its test split, see `digits.evaluation.corruptions`."""

    images: Count


class Export(Section):
    """How the model leaves for other runtimes, see `digits.export.formats`."""

    representative_images: Count


class Compare(Section):
    """The comparison of `compare/`."""

    recipes: Annotated[list[str], Field(min_length=1)]


class Params(Section):
    """The whole of `params.yaml`."""

    dataset: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    preprocess: Preprocess
    recipe: str
    recipes: dict[str, Recipe]
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
                if name not in self.recipes:
                    raise ValueError(f"{key}: no block '{name}' under recipes; there are {', '.join(self.recipes)}")
        return self

    @property
    def active_recipe(self) -> Recipe:
        """The block that `recipe` names."""
        return self.recipe_named(self.recipe)

    def recipe_named(self, name: str) -> Recipe:
        """The block of a recipe that is to be trained.

        Raises:
            UserError: there is none, or it does not go with what all recipes share.
        """
        if name not in self.recipes:
            raise UserError(f"no recipe '{name}'; there are {', '.join(self.recipes)}")
        recipe, least = self.recipes[name], self.preprocess.validation_fraction
        if recipe.validation_fraction and recipe.validation_fraction < least:
            raise UserError(
                f"recipes.{name}.validation_fraction is {recipe.validation_fraction}: it cannot be below "
                f"preprocess.validation_fraction = {least}; null takes that"
            )
        if self.train.strategy == "mirrored" and recipe.loop != "keras":
            raise UserError(f"train.strategy: mirrored needs recipes.{name}.loop: keras")
        return recipe

"""The closed, typed schema of `params.yaml`: an unknown key, a missing key or a wrong type is refused by name.

DVC passes unknown names silently; this is where they stop. A stage reads `params.<section>.<key>` and declares just
those keys in `dvc.yaml` (a test holds the two together).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from digits import paths
from digits.errors import UserError, run

Fraction = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A block of `params.yaml`: no other keys, no silent conversions, no defaults, no changes."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, content: Any) -> Any:
        unknown = [str(key) for key in content if key not in cls.model_fields] if isinstance(content, dict) else []
        if unknown:
            raise ValueError(f"unknown key {', '.join(unknown)}; the keys here are {', '.join(cls.model_fields)}")
        return content


class Preprocess(Section):
    """How the raw arrays become TFRecords, and what they must satisfy first."""

    validation_fraction: Annotated[float, Field(gt=0, lt=1)]
    shards: Count
    max_imbalance: Annotated[float, Field(ge=1)]
    max_leakage: Share


class FastCnn(Section):
    """Options of `digits.architectures.fast_cnn`."""

    architecture: Literal["fast_cnn"]
    widths: Annotated[list[Count], Field(min_length=1)]


class Tiny(Section):
    """Options of `digits.architectures.tiny`."""

    architecture: Literal["tiny"]
    width: Count


Architecture = Annotated[FastCnn | Tiny, Field(discriminator="architecture")]


class Augmentation(Section):
    """The largest random distortions, see `digits.augmentation`; 0 switches one off."""

    rotation: Annotated[float, Field(ge=0, le=180)]
    zoom: Fraction
    shift: Fraction
    shear: Annotated[float, Field(ge=0, le=1)]


class Optimizer(Section):
    """AdamW (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101); without decay it is Adam."""

    name: Literal["adamw"]
    weight_decay: Annotated[float, Field(ge=0)]


class Constant(Section):
    """The same learning rate at each step."""

    name: Literal["constant"]
    rate: Annotated[float, Field(gt=0)]


class OneCycle(Section):
    """A learning rate that rises to a peak and falls to 0, see `digits.schedules`."""

    name: Literal["one_cycle"]
    peak: Annotated[float, Field(gt=0)]
    warmup: Fraction


Schedule = Annotated[Constant | OneCycle, Field(discriminator="name")]


class Recipe(Section):
    """Everything that one trained model depends on besides the data, the seed and the machine."""

    model: Architecture
    augmentation: Augmentation
    optimizer: Optimizer
    schedule: Schedule
    batch_size: Count
    epochs: Count


class Train(Section):
    """What all recipes share."""

    threads: Count


class Evaluate(Section):
    """The gate."""

    min_accuracy: dict[str, Share]


class Params(Section):
    """The whole of `params.yaml`."""

    dataset: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    preprocess: Preprocess
    recipe: str
    recipes: dict[str, Recipe]
    train: Train
    evaluate: Evaluate

    @model_validator(mode="after")
    def _recipe_exists(self) -> "Params":
        if self.recipe not in self.recipes:
            raise ValueError(f"recipe: no block '{self.recipe}' under recipes; there are {', '.join(self.recipes)}")
        return self

    @property
    def active_recipe(self) -> Recipe:
        """The block that `recipe` names."""
        return self.recipes[self.recipe]


def load(path: Path = paths.PARAMS) -> Params:
    """Reads and checks the parameters.

    Raises:
        UserError: no file, no YAML, or a key that is unknown, missing or of a wrong type or range; the one line
            lists each of them with its legal values.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file here; run from the project's root") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        problems = (_explain(problem, content) for problem in error.errors())
        raise UserError(f"{path}: " + "; ".join(problems)) from error


def _explain(problem: Any, content: Any) -> str:
    key = ".".join(_keys(problem["loc"], content))
    discriminator = problem.get("ctx", {}).get("discriminator", "").strip("'")
    match problem["type"]:
        case "missing":
            return f"{key}{'.' if key else ''}{problem['loc'][-1]} is missing"
        case "value_error":
            return f"{key}: {problem['ctx']['error']}" if key else str(problem["ctx"]["error"])
        case "union_tag_invalid":
            return f"{key}.{discriminator} is {problem['ctx']['tag']!r}: it can be {problem['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return f"{key}.{discriminator} is missing"
        case _:
            return f"{key or 'the file'} is {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _keys(location: Iterable[Any], content: Any) -> list[str]:
    """The keys of a location that are in the file; pydantic also names the member of a union that it tried."""
    keys = []
    for key in location:
        if isinstance(content, list) or (isinstance(content, dict) and key in content):
            keys.append(str(key))
            content = content[key]
    return keys


def main() -> None:
    """`python -m digits.params`: DVC does not look at keys that no stage declares, this does."""
    parameters = load()
    print(f"{paths.PARAMS}: dataset {parameters.dataset}, recipe {parameters.recipe}")


if __name__ == "__main__":
    run(main)

"""The closed, typed schema of `params.yaml`: an unknown key, a missing key or a wrong type is refused by name.

DVC passes unknown names silently; this is where they stop. A stage reads `params.<section>.<key>` and declares just
those keys in `dvc.yaml` (a test holds the two together).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from digits import paths
from digits.errors import UserError, run

Fraction = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
NotNegative = Annotated[float, Field(ge=0)]


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


class NormalInitializer(Section):
    """Initial weights from a normal distribution around 0 with this standard deviation."""

    normal: Annotated[float, Field(gt=0)]


class Network(Section):
    """What the options of every architecture hold."""

    kernel_initializer: Annotated[
        Annotated[Literal["glorot_uniform", "he_normal"], Tag("name")] | Annotated[NormalInitializer, Tag("normal")],
        Discriminator(lambda value: "name" if isinstance(value, str) else "normal"),
    ]


class FastCnn(Network):
    """Options of `digits.architectures.fast_cnn`."""

    architecture: Literal["fast_cnn"]
    widths: Annotated[list[Count], Field(min_length=1)]


class HiddenLayer(Section):
    """A fully connected layer and the dropout behind it."""

    units: Count
    dropout: Fraction


class Mlp(Network):
    """Options of `digits.architectures.mlp`."""

    architecture: Literal["mlp"]
    activation: Literal["relu", "sigmoid"]
    hidden: Annotated[list[HiddenLayer], Field(min_length=1)]


class ConvStage(Section):
    """Convolutions, one for each number of filters; then perhaps a pooling, then dropout."""

    filters: Annotated[list[Count], Field(min_length=1)]
    pool: bool
    dropout: Fraction


class Cnn(Network):
    """Options of `digits.architectures.cnn`."""

    architecture: Literal["cnn"]
    padding: Literal["same", "valid"]
    stages: Annotated[list[ConvStage], Field(min_length=1)]
    hidden: list[HiddenLayer]


class Resnet(Network):
    """Options of `digits.architectures.resnet`."""

    architecture: Literal["resnet"]
    widths: Annotated[list[Count], Field(min_length=1)]
    blocks: Count


class Tiny(Network):
    """Options of `digits.architectures.tiny`."""

    architecture: Literal["tiny"]
    width: Count


Architecture = Annotated[FastCnn | Mlp | Cnn | Resnet | Tiny, Field(discriminator="architecture")]


class Loss(Section):
    """Cross-entropy and how the labels reach it, see `digits.objectives`."""

    labels: Literal["integer", "one_hot"]
    label_smoothing: Fraction
    reduction: Literal["mean", "sum"]

    @model_validator(mode="after")
    def _smoothing_needs_one_hot(self) -> "Loss":
        if self.label_smoothing and self.labels == "integer":
            raise ValueError("label_smoothing needs labels: one_hot")
        return self


class Augmentation(Section):
    """The largest random distortions, see `digits.augmentation`; 0 switches one off."""

    rotation: Annotated[float, Field(ge=0, le=180)]
    zoom: Fraction
    shift: Fraction
    shear: Annotated[float, Field(ge=0, le=1)]
    weight: Share
    coarse: Share
    noise: Share


class OptimizerOptions(Section):
    """What the options of every optimiser hold: the momentum of the weights' moving average (EMA); 0 = off."""

    ema: Fraction


class Adam(OptimizerOptions):
    """Kingma and Ba, https://arxiv.org/abs/1412.6980."""

    name: Literal["adam"]


class AdamW(OptimizerOptions):
    """Adam with decoupled weight decay (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101)."""

    name: Literal["adamw"]
    weight_decay: NotNegative


class Sgd(OptimizerOptions):
    """Stochastic gradient descent; with a momentum it is Nesterov's."""

    name: Literal["sgd"]
    momentum: Fraction
    weight_decay: NotNegative


Optimizer = Annotated[Adam | AdamW | Sgd, Field(discriminator="name")]

Rate = Annotated[float, Field(gt=0)]
Monitor = Literal["loss", "accuracy", "val_loss", "val_accuracy"]


class Constant(Section):
    """The same learning rate at each step."""

    name: Literal["constant"]
    rate: Rate


class Cosine(Section):
    """A learning rate that falls as a half cosine to 0."""

    name: Literal["cosine"]
    peak: Rate


class OneCycle(Section):
    """A learning rate that rises to a peak and falls to 0, see `digits.schedules`."""

    name: Literal["one_cycle"]
    peak: Rate
    warmup: Fraction


class Plateau(Section):
    """A learning rate that is multiplied by `factor` after `patience` epochs without a better `monitor`.

    Better is by 1e-4 at least, which is Keras' default.
    """

    name: Literal["plateau"]
    rate: Rate
    factor: Annotated[float, Field(gt=0, lt=1)]
    patience: Count
    monitor: Monitor


Schedule = Annotated[Constant | Cosine | OneCycle | Plateau, Field(discriminator="name")]


class EarlyStopping(Section):
    """The end of a training after `patience` epochs without a better `monitor`, by however little."""

    monitor: Monitor
    patience: Count
    restore_best_weights: bool


class Recipe(Section):
    """Everything that one trained model depends on besides the data, the seed and the machine."""

    model: Architecture
    members: Count
    outliers: Fraction
    calibrate: bool
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] | None
    augmentation: Augmentation
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    early_stopping: EarlyStopping | None
    batch_size: Count
    steps_per_epoch: Count | None
    epochs: Count
    loop: Literal["keras", "gradient_tape"]

    @model_validator(mode="after")
    def _outliers_need_one_hot(self) -> "Recipe":
        if self.outliers and self.loss.labels == "integer":
            raise ValueError("outliers need loss.labels: one_hot, because they belong to all classes alike")
        return self


class Train(Section):
    """What all recipes share."""

    threads: Count
    precision: Literal["float32", "mixed_bfloat16"]
    strategy: Literal["one_device", "mirrored"]


class Evaluate(Section):
    """When to answer, see `digits.calibration.decide`, and the gate: recipe -> dataset -> the least test accuracy."""

    max_error: Share
    max_lost: Fraction
    min_accuracy: dict[str, dict[str, Share]]


class Robustness(Section):
    """What the network is shown besides its test split, see `digits.stress`."""

    images: Count


class Export(Section):
    """How the model leaves for other runtimes, see `digits.exporting`."""

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

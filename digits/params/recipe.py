"""A recipe: everything that a trained model depends on besides the data, the seed and the machine."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from digits.params.base import Count, Fraction, NotNegative, Section, Share
from digits.params.networks import Architecture


class Loss(Section):
    """Cross-entropy and the encoding of its labels, see `digits.training.losses`."""

    labels: Literal["integer", "one_hot"]
    label_smoothing: Fraction
    reduction: Literal["mean", "sum"]

    @model_validator(mode="after")
    def _smoothing_needs_one_hot(self) -> "Loss":
        if self.label_smoothing and self.labels == "integer":
            raise ValueError("label_smoothing needs labels: one_hot")
        return self


class Augmentation(Section):
    """The largest random distortions, see `digits.inputs.augmentation`; 0 switches one off.

    `moved` is the share of the images that are rotated, zoomed, shifted and sheared.
    """

    moved: Share
    rotation: Annotated[float, Field(ge=0, le=180)]
    zoom: Fraction
    shift: Fraction
    shear: Annotated[float, Field(ge=0, le=1)]
    weight: Share
    coarse: Share
    noise: Share
    corrupted: Share


class OptimizerOptions(Section):
    """The options of every optimiser: `ema` is the momentum of the weights' exponential moving average; 0 = off."""

    ema: Fraction


class Adam(OptimizerOptions):
    """Adam (Kingma and Ba, https://arxiv.org/abs/1412.6980)."""

    name: Literal["adam"]


class AdamW(OptimizerOptions):
    """Adam with decoupled weight decay (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101)."""

    name: Literal["adamw"]
    weight_decay: NotNegative


class Muon(OptimizerOptions):
    """Orthogonalised momentum for matrices and convolutions, AdamW for the rest, see `digits.training.optimizers`."""

    name: Literal["muon"]
    weight_decay: NotNegative


class Sgd(OptimizerOptions):
    """Stochastic gradient descent, with Nesterov momentum unless that is 0."""

    name: Literal["sgd"]
    momentum: Fraction
    weight_decay: NotNegative


Optimizer = Annotated[Adam | AdamW | Muon | Sgd, Field(discriminator="name")]

Rate = Annotated[float, Field(gt=0)]
Monitor = Literal["loss", "accuracy", "val_loss", "val_accuracy"]


class Constant(Section):
    """The same learning rate at each step."""

    name: Literal["constant"]
    rate: Rate


class Cosine(Section):
    """A learning rate that falls to 0 along a half cosine."""

    name: Literal["cosine"]
    peak: Rate


class OneCycle(Section):
    """A learning rate that rises to a peak and falls to 0, see `digits.training.optimizers`."""

    name: Literal["one_cycle"]
    peak: Rate
    warmup: Fraction


class Plateau(Section):
    """A learning rate that is multiplied by `factor` after `patience` epochs without a better `monitor`.

    An improvement is at least 1e-4, Keras' default.
    """

    name: Literal["plateau"]
    rate: Rate
    factor: Annotated[float, Field(gt=0, lt=1)]
    patience: Count
    monitor: Monitor


Schedule = Annotated[Constant | Cosine | OneCycle | Plateau, Field(discriminator="name")]


class EarlyStopping(Section):
    """Stops a training after `patience` epochs without a better `monitor`; any improvement counts."""

    monitor: Monitor
    patience: Count
    restore_best_weights: bool


class Recipe(Section):
    """Everything that a trained model depends on besides the data, the seed and the machine."""

    model: Architecture
    members: Count
    outlier_share: Fraction
    drawing_share: NotNegative
    calibrate: bool
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] | None
    augmentation: Augmentation
    undistorted_epochs: NotNegative
    views: Literal[1, 5, 9]
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    early_stopping: EarlyStopping | None
    batch_size: Count
    steps_per_epoch: Count | None
    epochs: Count
    loop: Literal["keras", "gradient_tape"]

    @model_validator(mode="after")
    def _drawings_stay_in_training(self) -> "Recipe":
        if self.drawing_share and self.validation_fraction:
            raise ValueError("drawing_share needs validation_fraction: null, or drawings would be in both splits")
        return self

    @model_validator(mode="after")
    def _outliers_need_one_hot(self) -> "Recipe":
        if self.outlier_share and self.loss.labels == "integer":
            raise ValueError(
                "outlier_share needs loss.labels: one_hot, because an outlier's target is uniform over the classes"
            )
        return self

"""The options of each architecture."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from digits.params.base import Count, Fraction, Section


class NormalInitializer(Section):
    """Initial weights from a normal distribution around 0 with this standard deviation."""

    normal: Annotated[float, Field(gt=0)]


class Network(Section):
    """The options that every architecture has."""

    kernel_initializer: Annotated[
        Annotated[Literal["glorot_uniform", "he_normal"], Tag("name")] | Annotated[NormalInitializer, Tag("normal")],
        Discriminator(lambda value: "name" if isinstance(value, str) else "normal"),
    ]


class FastCnn(Network):
    """Options of `digits.architectures.fast_cnn`."""

    architecture: Literal["fast_cnn"]
    widths: Annotated[list[Count], Field(min_length=1)]


class HiddenLayer(Section):
    """A fully connected layer, followed by dropout."""

    units: Count
    dropout: Fraction


class Mlp(Network):
    """Options of `digits.architectures.mlp`."""

    architecture: Literal["mlp"]
    activation: Literal["relu", "sigmoid"]
    hidden: Annotated[list[HiddenLayer], Field(min_length=1)]


class ConvStage(Section):
    """Convolutions, one per number of filters; then max pooling if `pool` is set; then dropout."""

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

"""The options of each architecture."""

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Discriminator, Field, Tag

from digits.params.base import Count, Fraction, Section


class NormalInitializer(Section):
    """Initial weights from a normal distribution around 0 with this standard deviation."""

    normal: Annotated[float, Field(gt=0)]


class Network(Section):
    """The options that every architecture has; the initial weights are Keras' own unless said otherwise."""

    kernel_initializer: Annotated[
        Annotated[Literal["glorot_uniform", "he_normal"], Tag("name")] | Annotated[NormalInitializer, Tag("normal")],
        Discriminator(lambda value: "name" if isinstance(value, str) else "normal"),
    ] = "glorot_uniform"


class Convolution(NamedTuple):
    """A convolution as Keras' `Conv2D` takes it; `padding` is `same` or `valid`."""

    filters: int
    size: int
    stride: int
    padding: str


CONVOLUTION = re.compile(r"([1-9]\d*) ([1-9]\d*)x\2(?:/([1-9]\d*))?( valid)?")


def _is_convolution(text: str) -> str:
    if not CONVOLUTION.fullmatch(text):
        raise ValueError(
            "write a convolution as 48 3x3 (filters, size), 48 3x3/2 (with a stride) or 48 3x3 valid (without padding)"
        )
    return text


class StridedCnn(Network):
    """Options of `digits.architectures.strided_cnn`."""

    architecture: Literal["strided_cnn"]
    convolutions: Annotated[list[Annotated[str, AfterValidator(_is_convolution)]], Field(min_length=1)]
    normalize: bool
    hidden: Count

    @property
    def layers(self) -> list[Convolution]:
        """The convolutions, read from their texts; a stride of 2 halves height and width."""
        matches = [CONVOLUTION.fullmatch(text) for text in self.convolutions]
        return [
            Convolution(int(match[1]), int(match[2]), int(match[3] or 1), "valid" if match[4] else "same")
            for match in matches
            if match
        ]


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


Architecture = Annotated[StridedCnn | Mlp | Cnn | Resnet | Tiny, Field(discriminator="architecture")]

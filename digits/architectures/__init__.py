"""Network architectures by name: from raw pixels, uint8 `[N, H, W, C]`, to logits, float32 `[N, classes]`."""

from digits.architectures import cnn, mlp, resnet, strided_cnn, tiny  # noqa: F401  # importing them registers them
from digits.architectures.registry import build, names

__all__ = ["build", "names"]

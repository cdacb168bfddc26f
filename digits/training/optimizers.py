"""Optimisers and learning-rate schedules, built from a recipe."""

from typing import Any

import keras
from keras import ops

from digits.params import Adam, AdamW, Constant, Cosine, Muon, OneCycle, Optimizer, Plateau, Schedule, Sgd


class ConvolutionMuon(keras.optimizers.Muon):
    """Keras' Muon, also for the kernels of convolutions, which Keras leaves to AdamW.

    Muon replaces the momentum of a matrix by the nearest orthogonal one (K. Jordan et al.,
    https://kellerjordan.github.io/posts/muon/). A kernel, `[height, width, channels, filters]`, is taken as the matrix
    that it multiplies patches with, `[height * width * channels, filters]`.
    """

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 and bool(super()._should_use_adamw(variable))

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Orthogonalises, `[..., filters]` as `[N, filters]`."""
        matrix = super().zeropower_via_newtonschulz5(ops.reshape(x, (-1, x.shape[-1])), steps)
        return ops.reshape(matrix, x.shape)

    def lr_adjust(self, x: Any) -> Any:
        """Scales by the longer side of the matrix, as Keras does."""
        return ops.reshape(super().lr_adjust(ops.reshape(x, (-1, x.shape[-1]))), x.shape)


def build(optimizer: Optimizer, schedule: Schedule, steps: int) -> keras.optimizers.Optimizer:
    """Builds the Keras optimiser.

    Args:
        optimizer: its name and options; with `ema` it also keeps a moving average of the weights (Polyak averaging),
            which is validated and saved in their place.
        schedule: of the learning rate.
        steps: of the whole run.
    """
    rate = learning_rate(schedule, steps)
    average = {"use_ema": True, "ema_momentum": optimizer.ema} if optimizer.ema else {}
    match optimizer:
        case Adam():
            return keras.optimizers.Adam(rate, **average)
        case AdamW():
            return keras.optimizers.AdamW(rate, weight_decay=optimizer.weight_decay, **average)
        case Muon():
            decay = optimizer.weight_decay
            return ConvolutionMuon(rate, weight_decay=decay, adam_weight_decay=decay, **average)
        case Sgd():
            return keras.optimizers.SGD(
                rate,
                momentum=optimizer.momentum,
                nesterov=optimizer.momentum > 0,
                weight_decay=optimizer.weight_decay or None,
                **average,
            )


def to_save(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Returns the optimiser to save with a model: one that Keras alone can read, without a state if it is ours."""
    return keras.optimizers.SGD() if isinstance(optimizer, ConvolutionMuon) else optimizer


def learning_rate(schedule: Schedule, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Returns the learning rate for Keras; for a plateau the initial one, which `digits.training.callbacks` lowers.

    One-cycle rises linearly from 1/25 of the peak and falls to 0 along a half cosine: after L. Smith and N. Topin,
    "Super-Convergence" (https://arxiv.org/abs/1708.07120), with fastai's cosine as the second half, and without their
    cycle of the momentum.

    Args:
        schedule: its name and options.
        steps: of the whole run.
    """
    match schedule:
        case Constant() | Plateau():
            return schedule.rate
        case Cosine():
            return keras.optimizers.schedules.CosineDecay(schedule.peak, steps)
        case OneCycle():
            rise = min(round(schedule.warmup * steps), steps - 1)
            return keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=schedule.peak / 25 if rise else schedule.peak,
                decay_steps=steps - rise,
                warmup_target=schedule.peak if rise else None,
                warmup_steps=rise,
            )

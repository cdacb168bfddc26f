"""Optimisers and learning-rate schedules as Keras takes them."""

import keras

from digits.params import Adam, AdamW, Constant, Cosine, OneCycle, Optimizer, Plateau, Schedule, Sgd


def build(optimizer: Optimizer, schedule: Schedule, steps: int) -> keras.optimizers.Optimizer:
    """The optimiser as Keras takes it.

    Args:
        optimizer: which, and its options; with `ema` it also keeps a moving average of the weights (Polyak averaging),
            which are those that are validated and saved.
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
        case Sgd():
            return keras.optimizers.SGD(
                rate,
                momentum=optimizer.momentum,
                nesterov=optimizer.momentum > 0,
                weight_decay=optimizer.weight_decay or None,
                **average,
            )


def learning_rate(schedule: Schedule, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate as Keras takes it; for a plateau the first one, which `digits.training.callbacks` lowers.

    A one-cycle rises in a line from a 25th of the peak and falls as a half cosine to 0: after L. Smith and N. Topin,
    "Super-Convergence" (https://arxiv.org/abs/1708.07120), with the cosine that fastai made of its second half, and
    without the opposite cycle of the momentum.

    Args:
        schedule: which, and its peak.
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

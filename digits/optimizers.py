"""From a gradient to the next weights."""

import keras

from digits import schedules
from digits.params import Adam, AdamW, Optimizer, Schedule, Sgd


def build(optimizer: Optimizer, schedule: Schedule, steps: int) -> keras.optimizers.Optimizer:
    """The optimiser as Keras takes it.

    Args:
        optimizer: which, and its options; with `ema` it also keeps a moving average of the weights (Polyak averaging),
            which are those that are validated and saved.
        schedule: of the learning rate.
        steps: of the whole run.
    """
    rate = schedules.build(schedule, steps)
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

"""Learning rates over the steps of a run."""

import keras

from digits.params import Constant, Cosine, OneCycle, Plateau, Schedule


def build(schedule: Schedule, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate as Keras takes it; that of a plateau is where it begins (`digits.watching` lowers it).

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

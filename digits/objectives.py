"""What a training minimises: cross-entropy of integer or one-hot labels, which is the same but for the smoothing."""

import keras
import numpy as np

from digits.params import Loss

REDUCTIONS = {"mean": "sum_over_batch_size", "sum": "sum"}


def targets(labels: np.ndarray, classes: int, options: Loss) -> np.ndarray:
    """The labels, int64 `[N]`, as the loss takes them: unchanged, or one-hot float32 `[N, classes]`."""
    if options.labels == "integer":
        return labels
    return np.asarray(keras.utils.to_categorical(labels, classes), dtype=np.float32)


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, options: Loss, *, from_logits: bool
) -> None:
    """Gives a model its optimiser, its loss, and the two measures that all recipes share.

    These are `accuracy` and `cross_entropy`, the mean over the examples in nats. The loss itself may be summed over the
    batch or taken against smoothed labels, and then says nothing next to another recipe's.
    """
    reduction = REDUCTIONS[options.reduction]
    if options.labels == "integer":
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits, reduction=reduction)
        measure = keras.metrics.SparseCategoricalCrossentropy("cross_entropy", from_logits=from_logits)
    else:
        loss = keras.losses.CategoricalCrossentropy(
            from_logits=from_logits, label_smoothing=options.label_smoothing, reduction=reduction
        )
        measure = keras.metrics.CategoricalCrossentropy("cross_entropy", from_logits=from_logits)
    # Without XLA: on a CPU it made a step of the deep network six times as long.
    model.compile(optimizer, loss, metrics=["accuracy", measure], jit_compile=False)

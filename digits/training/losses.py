"""What a training minimises: cross-entropy of integer or one-hot labels, which is the same but for the smoothing."""

import functools
from typing import Any

import keras

from digits.params import Loss

REDUCTIONS = {"mean": "sum_over_batch_size", "sum": "sum"}


class InlierMean(keras.metrics.MeanMetricWrapper):
    """The mean of a measure over the examples that have a class; outliers have none to be measured by."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Weighs the examples of a batch by 1, outliers by 0."""
        known = keras.ops.max(y_true, axis=-1) == 1
        super().update_state(y_true, y_pred, keras.ops.cast(known, self.dtype))


def compile_model(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    options: Loss,
    *,
    from_logits: bool,
    outliers: bool = False,
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
    measures = ["accuracy", measure]
    if outliers:
        measures = [
            InlierMean(keras.metrics.categorical_accuracy, "accuracy"),
            InlierMean(
                functools.partial(keras.losses.categorical_crossentropy, from_logits=from_logits), "cross_entropy"
            ),
        ]
    # Without XLA: on a CPU it made a step of the deep network six times as long.
    model.compile(optimizer, loss, metrics=measures, jit_compile=False)

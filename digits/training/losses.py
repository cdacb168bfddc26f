"""Losses and metrics: cross-entropy on integer or one-hot labels; equal unless label smoothing is on."""

import functools
from typing import Any

import keras

from digits.params import Loss

REDUCTIONS = {"mean": "sum_over_batch_size", "sum": "sum"}


class InlierMean(keras.metrics.MeanMetricWrapper):
    """A metric averaged over the examples that have a class; outliers have none."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Weights examples by 1, outliers by 0."""
        has_class = keras.ops.max(y_true, axis=-1) == 1
        super().update_state(y_true, y_pred, keras.ops.cast(has_class, self.dtype))


def compile_model(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    options: Loss,
    *,
    from_logits: bool,
    outliers: bool = False,
) -> None:
    """Compiles a model with its optimiser, its loss, and the two metrics that all recipes share.

    These are `accuracy` and `cross_entropy`, the mean over the examples in nats. The loss itself may be summed over the
    batch or use smoothed labels, and is then not comparable between recipes.
    """
    reduction = REDUCTIONS[options.reduction]
    if options.labels == "integer":
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits, reduction=reduction)
        cross_entropy = keras.metrics.SparseCategoricalCrossentropy("cross_entropy", from_logits=from_logits)
    else:
        loss = keras.losses.CategoricalCrossentropy(
            from_logits=from_logits, label_smoothing=options.label_smoothing, reduction=reduction
        )
        cross_entropy = keras.metrics.CategoricalCrossentropy("cross_entropy", from_logits=from_logits)
    metrics = ["accuracy", cross_entropy]
    if outliers:
        metrics = [
            InlierMean(keras.metrics.categorical_accuracy, "accuracy"),
            InlierMean(
                functools.partial(keras.losses.categorical_crossentropy, from_logits=from_logits), "cross_entropy"
            ),
        ]
    # Without XLA: on a CPU it made a step of the deep network six times as long.
    model.compile(optimizer, loss, metrics=metrics, jit_compile=False)

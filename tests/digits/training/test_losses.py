import keras
import numpy as np
import pytest

from digits.inputs.targets import encode, uniform_targets
from digits.params import Loss
from digits.training import losses

LABELS = np.array([2, 0, 1])

LOGITS = np.array([[0.1, 0.2, 2.0], [1.0, -1.0, 0.0], [0.0, 0.0, 0.0]], np.float32)

CROSS_ENTROPIES = [np.log(np.exp(row).sum()) - row[label] for row, label in zip(LOGITS, LABELS, strict=True)]


def compiled(options, *, from_logits=True):
    answer = LOGITS if from_logits else np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    losses.compile_model(model, keras.optimizers.SGD(), options, from_logits=from_logits)
    metrics = model.evaluate(answer, encode(LABELS, 3, options), return_dict=True, verbose=0)
    return metrics, model


@pytest.mark.parametrize("labels", ["integer", "one_hot"])
@pytest.mark.parametrize("from_logits", [True, False])
def test_both_encodings_are_the_cross_entropy(labels, from_logits):
    metrics, _ = compiled(Loss(labels=labels, label_smoothing=0, reduction="mean"), from_logits=from_logits)
    assert metrics["loss"] == pytest.approx(np.mean(CROSS_ENTROPIES), rel=1e-5)
    assert metrics["cross_entropy"] == pytest.approx(np.mean(CROSS_ENTROPIES), rel=1e-5)
    assert metrics["accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("labels", ["integer", "one_hot"])
def test_a_sum_is_a_sum_and_the_measure_stays_a_mean(labels):
    metrics, _ = compiled(Loss(labels=labels, label_smoothing=0, reduction="sum"))
    assert metrics["loss"] == pytest.approx(np.sum(CROSS_ENTROPIES), rel=1e-5)
    assert metrics["cross_entropy"] == pytest.approx(np.mean(CROSS_ENTROPIES), rel=1e-5)


def test_smoothing_is_in_the_loss_and_not_in_the_measure():
    metrics, _ = compiled(Loss(labels="one_hot", label_smoothing=0.3, reduction="mean"))
    to_all = np.mean([np.log(np.exp(row).sum()) - row.mean() for row in LOGITS])
    assert metrics["loss"] == pytest.approx(0.7 * np.mean(CROSS_ENTROPIES) + 0.3 * to_all, rel=1e-5)
    assert metrics["cross_entropy"] == pytest.approx(np.mean(CROSS_ENTROPIES), rel=1e-5)


@pytest.mark.parametrize("from_logits", [True, False])
def test_outliers_count_in_the_loss_and_not_in_the_measures(from_logits):
    # Three examples and two outliers, of which one is answered with all the confidence in the world.
    options = Loss(labels="one_hot", label_smoothing=0, reduction="mean")
    extra = np.array([[9.0, 0.0, 0.0], [0.5, 0.1, 0.2]], np.float32)
    logits = np.concatenate([LOGITS, extra])
    answer = logits if from_logits else np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = np.concatenate([encode(LABELS, 3, options), uniform_targets(2, 3)])
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    losses.compile_model(model, keras.optimizers.SGD(), options, from_logits=from_logits, outliers=True)
    order = [3, 0, 1, 4, 2]  # the batches of 2 hold one outlier, one outlier, none
    metrics = model.evaluate(answer[order], targets[order], batch_size=2, return_dict=True, verbose=0)
    to_all = [np.log(np.exp(row).sum()) - row.mean() for row in extra]
    assert metrics["cross_entropy"] == pytest.approx(np.mean(CROSS_ENTROPIES), rel=1e-5)
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["loss"] == pytest.approx(np.mean([*CROSS_ENTROPIES, *to_all]), rel=1e-5)


def test_a_batch_of_outliers_alone_changes_no_measure():
    metric = losses.InlierMean(keras.metrics.categorical_accuracy, "accuracy")
    metric.update_state(np.eye(3, dtype=np.float32)[LABELS], LOGITS)
    before = float(metric.result())
    metric.update_state(uniform_targets(3, 3), LOGITS)
    assert float(metric.result()) == before == pytest.approx(2 / 3)

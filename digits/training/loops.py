"""The training loops: Keras' own, and one around `tf.GradientTape`, to read and to change.

Both call the same callbacks in the same order, so both record, stop, save and resume in the same way.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf


def fit(
    network: keras.Model,
    training: tf.data.Dataset,
    validation: tf.data.Dataset,
    *,
    steps: int,
    first_epoch: int,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int,
) -> None:
    """Trains a compiled network with `keras.Model.fit`.

    Args:
        network: compiled, with a built optimiser.
        training: the batches from `first_epoch` on, images and targets, `steps` for each epoch.
        validation: the batches to validate on after each epoch.
        steps: batches an epoch.
        first_epoch: the first to run, counted from 0.
        epochs: the total number, unless a callback sets `network.stop_training`.
        callbacks: called as Keras calls them.
        verbose: 1 for Keras' progress bar, 0 for silence.
    """
    network.fit(
        training,
        validation_data=validation,
        steps_per_epoch=steps,
        initial_epoch=first_epoch,
        epochs=epochs,
        shuffle=False,  # the batches are shuffled already
        callbacks=list(callbacks),
        verbose=verbose,
    )


def gradient_tape(
    network: keras.Model,
    training: tf.data.Dataset,
    validation: tf.data.Dataset,
    *,
    steps: int,
    first_epoch: int,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int,
) -> None:
    """Trains a compiled network step by step with `tf.GradientTape`; the arguments are those of `fit`.

    Runs on all devices of the current strategy, those of other workers too.
    """
    strategy = tf.distribute.get_strategy()
    mean_loss = keras.metrics.Mean()
    # Keras divides a mean by the number of devices, so that their sum is the mean over the batch; a sum it leaves.
    scale = 1 if network.loss.reduction == "sum" else strategy.num_replicas_in_sync

    def measure(images: tf.Tensor, targets: tf.Tensor, logits: tf.Tensor, loss: tf.Tensor) -> None:
        network.compute_metrics(images, targets, logits)
        mean_loss.update_state(loss * scale, sample_weight=tf.shape(images)[0])

    def train_on_share(images: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = network(images, training=True)
            loss = network.compute_loss(x=images, y=targets, y_pred=logits)
        gradients = tape.gradient(loss, network.trainable_variables)
        network.optimizer.apply(gradients, network.trainable_variables)  # of the sum over all devices
        measure(images, targets, logits, loss)
        return mean_loss.result()

    def validate_share(images: tf.Tensor, targets: tf.Tensor) -> None:
        logits = network(images, training=False)
        measure(images, targets, logits, network.compute_loss(x=images, y=targets, y_pred=logits, training=False))

    @tf.function  # type: ignore[untyped-decorator]
    def train_step(images: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return strategy.run(train_on_share, args=(images, targets))

    @tf.function  # type: ignore[untyped-decorator]
    def validation_step(images: tf.Tensor, targets: tf.Tensor) -> None:
        strategy.run(validate_share, args=(images, targets))

    def reset() -> None:
        network.reset_metrics()
        mean_loss.reset_state()

    def results() -> dict[str, float]:
        return {**network.get_metrics_result(), "loss": float(mean_loss.result())}

    def validate() -> dict[str, float]:
        # Not `Model.evaluate`, which fails on several workers as `fit` does.
        calls.on_test_begin()
        reset()
        for step, batch in enumerate(shared_validation):
            calls.on_test_batch_begin(step)
            validation_step(*batch)
            calls.on_test_batch_end(step)
        found = results()
        calls.on_test_end(found)
        return found

    calls = keras.callbacks.CallbackList(
        list(callbacks), add_progbar=bool(verbose), model=network, verbose=verbose, epochs=epochs, steps=steps
    )
    network.stop_training = False
    calls.on_train_begin()
    batches = iter(strategy.experimental_distribute_dataset(training))
    shared_validation = strategy.experimental_distribute_dataset(validation)
    for epoch in range(first_epoch, epochs):
        reset()
        calls.on_epoch_begin(epoch)
        for step in range(steps):
            calls.on_train_batch_begin(step)
            losses = strategy.experimental_local_results(train_step(*next(batches)))
            calls.on_train_batch_end(step, {"loss": losses[0]})
        metrics = results()
        metrics |= {f"val_{name}": value for name, value in validate().items()}
        calls.on_epoch_end(epoch, metrics)
        if network.stop_training:
            break
    network.optimizer.finalize_variable_values(network.trainable_variables)  # the moving average, as `fit` does it
    calls.on_train_end(metrics)


LOOPS = {"keras": fit, "gradient_tape": gradient_tape}

"""TensorBoard logs of a training: curves, histograms, graph, images and hyper-parameters."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from digits.params import Recipe
from digits.splits.split import Split

IMAGES = 24


def open_log(
    log_dir: Path, recipe: Recipe, network: keras.Model, batches: tf.data.Dataset
) -> keras.callbacks.TensorBoard:
    """Logs the recipe, the graph and some training images; returns the callback that logs the rest.

    Args:
        log_dir: of this run alone.
        recipe: its keys become hyper-parameters, to sort and filter runs by.
        network: its operations become the graph.
        batches: of the training; images of the first are logged.
    """
    # In the parent of the curves' folders, so that TensorBoard joins them.
    with tf.summary.create_file_writer(str(log_dir)).as_default():
        hparams.hparams(_flat(recipe.model_dump()))
    with tf.summary.create_file_writer(str(log_dir / "train")).as_default():
        images, _ = next(iter(batches))
        tf.summary.image("training images, as distorted", images, step=0, max_outputs=IMAGES)
        # Not Keras' graph of the model's configuration, which TensorBoard cannot read since Keras 3.
        forward = tf.function(lambda pixels: network(pixels, training=False))
        tf.summary.graph(forward.get_concrete_function(tf.TensorSpec.from_tensor(images)).graph)
    return keras.callbacks.TensorBoard(str(log_dir), histogram_freq=1, write_graph=False)


def log_mistakes(log_dir: Path, network: keras.Model, validation: Split) -> None:
    """Logs the misclassified validation images with the largest losses.

    Args:
        log_dir: of this run alone.
        network: from images to logits.
        validation: the validation split; a training must not use the test split.
    """
    logits = network.predict(validation.images, batch_size=1000, verbose=0)
    losses = keras.losses.sparse_categorical_crossentropy(validation.labels, logits, from_logits=True)
    wrong = np.flatnonzero(logits.argmax(axis=1) != validation.labels)
    wrong = wrong[np.argsort(-np.asarray(losses)[wrong], kind="stable")][:IMAGES]
    with tf.summary.create_file_writer(str(log_dir / "validation")).as_default():
        for actual, predicted in sorted({(int(validation.labels[i]), int(logits[i].argmax())) for i in wrong}):
            confused = wrong[(validation.labels[wrong] == actual) & (logits[wrong].argmax(axis=1) == predicted)]
            name = f"mistakes/{actual} read as {predicted}"
            tf.summary.image(name, validation.images[confused], step=0, max_outputs=IMAGES)


def _flat(content: Any, prefix: str = "") -> dict[str, str | int | float | bool]:
    """Joins nested keys with dots; turns values that TensorBoard has no type for into text."""
    if isinstance(content, dict):
        return {name: leaf for key, value in content.items() for name, leaf in _flat(value, f"{prefix}.{key}").items()}
    return {prefix[1:]: content if isinstance(content, str | int | float | bool) else str(content)}

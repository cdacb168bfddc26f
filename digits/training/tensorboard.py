"""What TensorBoard shows of a training: curves, histograms, the graph, images and hyper-parameters."""

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
    """Writes the recipe, the graph and some images as they are learnt; the callback that it returns adds the rest.

    Args:
        log_dir: of this run alone.
        recipe: its keys become hyper-parameters, to sort and filter runs by.
        network: its operations become the graph.
        batches: of the training; the first is shown.
    """
    # Above the folders of the curves, which TensorBoard then joins to them.
    with tf.summary.create_file_writer(str(log_dir)).as_default():
        hparams.hparams(_flat(recipe.model_dump()))
    with tf.summary.create_file_writer(str(log_dir / "train")).as_default():
        images, _ = next(iter(batches))
        tf.summary.image("training images, as distorted", images, step=0, max_outputs=IMAGES)
        # Keras would write a graph of the model's configuration, which TensorBoard cannot read since Keras 3.
        answer = tf.function(lambda pixels: network(pixels, training=False))
        tf.summary.graph(answer.get_concrete_function(tf.TensorSpec.from_tensor(images)).graph)
    return keras.callbacks.TensorBoard(str(log_dir), histogram_freq=1, write_graph=False)


def log_mistakes(log_dir: Path, network: keras.Model, validation: Split) -> None:
    """Writes the validation images of the largest loss among those that the network gets wrong.

    Args:
        log_dir: of this run alone.
        network: to logits.
        validation: the split to look at; the test split is no business of a training.
    """
    logits = network.predict(validation.images, batch_size=1000, verbose=0)
    losses = keras.losses.sparse_categorical_crossentropy(validation.labels, logits, from_logits=True)
    wrong = np.flatnonzero(logits.argmax(axis=1) != validation.labels)
    wrong = wrong[np.argsort(-np.asarray(losses)[wrong], kind="stable")][:IMAGES]
    with tf.summary.create_file_writer(str(log_dir / "validation")).as_default():
        for actual, predicted in sorted({(int(validation.labels[i]), int(logits[i].argmax())) for i in wrong}):
            of_this_kind = wrong[(validation.labels[wrong] == actual) & (logits[wrong].argmax(axis=1) == predicted)]
            name = f"mistakes/{actual} read as {predicted}"
            tf.summary.image(name, validation.images[of_this_kind], step=0, max_outputs=IMAGES)


def _flat(content: Any, prefix: str = "") -> dict[str, str | int | float | bool]:
    """Nested keys with dots; what TensorBoard has no type for as text."""
    if isinstance(content, dict):
        return {name: leaf for key, value in content.items() for name, leaf in _flat(value, f"{prefix}.{key}").items()}
    return {prefix[1:]: content if isinstance(content, str | int | float | bool) else str(content)}

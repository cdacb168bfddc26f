"""The published CNN (`cnn_deep`) as its users run it: plain Keras on arrays, with TensorFlow's own settings.

    MNIST_DIR=folder python -m benchmarks.published --seed 0 --save model.keras

`benchmarks.training_time` compares the default recipe with it; `cnn_deep` must reproduce it. Prints one line of JSON.
"""

import argparse
import gzip
import json
import os
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers


def main() -> None:
    """Trains and saves as the published description says, then measures on the test images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of initial weights, dropout and order")
    parser.add_argument("--epochs", type=int, default=10, help="at most")
    parser.add_argument("--save", type=Path, required=True, help="the .keras file to write")
    arguments = parser.parse_args()
    start = time.perf_counter()
    keras.utils.set_random_seed(arguments.seed)
    images, labels = load("train")
    model = build()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        images,
        labels,
        batch_size=64,
        epochs=arguments.epochs,
        validation_split=0.1,  # Keras takes the last tenth
        callbacks=[
            keras.callbacks.EarlyStopping("val_accuracy", patience=3),
            keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=2),
        ],
        verbose=2,
    )
    model.save(arguments.save)
    seconds = time.perf_counter() - start
    loss, accuracy = model.evaluate(*load("t10k"), batch_size=1000, verbose=0)
    found = {"seed": arguments.seed, "epochs": len(history.epoch), "test_accuracy": accuracy, "test_loss": loss}
    print(json.dumps(found | {"validation_accuracy": history.history["val_accuracy"][-1], "seconds": seconds}))


def load(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns images, float32 `[N, 28, 28, 1]` in 0..1, and labels, uint8 `[N]`, of `train` or `t10k`."""
    folder = Path(os.environ["MNIST_DIR"])
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28, 1)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images.astype("float32") / 255, labels


def build() -> keras.Model:
    """Returns the published network, from pixels in 0..1 to probabilities; 863,082 weights."""
    stages = [
        layer
        for filters in ((32, 32), (64, 64), (128,))
        for layer in (
            *(layers.Conv2D(count, 3, padding="same", activation="relu") for count in filters),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
        )
    ]
    hidden = [layer for units in (512, 256) for layer in (layers.Dense(units, activation="relu"), layers.Dropout(0.5))]
    output = layers.Dense(10, activation="softmax")
    return keras.Sequential([keras.Input((28, 28, 1)), *stages, layers.Flatten(), *hidden, output])


if __name__ == "__main__":
    main()

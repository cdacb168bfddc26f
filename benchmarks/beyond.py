"""Measures robustness on validation data, to choose by: counterparts of the sets of `metrics/robustness.json`.

    python -m benchmarks.beyond models/model.keras ...

The sets: the validation split, plain and as frames; reduced to 8x8 pixels like scikit-learn's digits, also with wider
strokes; corrupted; and the drawings of `drawings/validation.json`, digits and others. Prints one line per model.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from digits import params
from digits.core import errors, paths
from digits.drawing import framing, strokes
from digits.evaluation import robustness
from digits.evaluation.examples import Network
from digits.inputs import drawn_digits
from digits.metrics.decision import decide
from digits.models import determinism, keras_file
from digits.splits import tfrecords
from digits.splits.split import Split

IMAGES, CORRUPTED = 3000, 500  # the first ones of the validation split
WIDEST = 24  # of 32 pixels, because scikit-learn's digits are narrower than MNIST's


def main() -> None:
    """Prints the metrics of each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    arguments = parser.parse_args()
    parameters = params.load()
    determinism.configure(parameters.processor)
    validation = tfrecords.read(paths.TFRECORDS, "validation")
    drawings = strokes.read(paths.PRACTICE_DRAWINGS)
    sets = versions(validation.take(np.arange(min(len(validation), IMAGES)))) | {
        "drawings": drawn_digits.drawn(drawings)
    }
    others = drawn_digits.no_digits(drawings)
    few = validation.take(np.arange(min(len(validation), CORRUPTED)))
    for path in arguments.models:
        network = partial(keras_file.probabilities, keras_file.load(path))
        figures = {name: accuracy(network, split) for name, split in sets.items()}
        figures["separation"] = separation(network, sets["drawings"], others)
        decision = decide(validation.labels, network(validation.images), **parameters.promises)
        figures["no digits refused"] = robustness.refuse_others(network, others, decision)["refused"]
        rows = robustness.under_stress(network, few, parameters.seed, frames=True)
        figures |= {f"stress {name}": float(np.mean([row[name] for row in rows])) for name in ("accuracy", "framed")}
        print(path, " ".join(f"  {name} {value:.4f}" for name, value in figures.items()), flush=True)


def versions(validation: Split) -> dict[str, Split]:
    """Returns the validation split and its transformed versions by name."""
    images = list(validation.images[..., 0])
    pictures = {
        "framed": images,
        "8x8": [as_8x8(image) for image in images],
        "8x8, wider": [as_8x8(ndimage.grey_dilation(image, (2, 2))) for image in images],
    }
    framed = {name: Split(drawn_digits.framed(drawings), validation.labels) for name, drawings in pictures.items()}
    return {"validation": validation, **framed}


def as_8x8(image: np.ndarray) -> np.ndarray:
    """Reduces an image as E. Alpaydin and C. Kaynak did: 32x32 black or white pixels, counted in blocks of 4x4.

    Args:
        image: uint8 `[H, W]`, light on black.

    Returns:
        uint8 `[8, 8]`.
    """
    drawn = framing.crop(image / 255)
    width = max(1, min(WIDEST, round(0.8 * 32 * drawn.shape[1] / drawn.shape[0])))
    small = Image.fromarray((255 * drawn).astype(np.uint8)).resize((width, 32), Image.Resampling.BICUBIC)
    bitmap = np.zeros((32, 32))
    left = (32 - width) // 2
    bitmap[:, left : left + width] = np.asarray(small) > 127
    return np.asarray(255 * bitmap.reshape(8, 4, 8, 4).mean(axis=(1, 3))).astype(np.uint8)


def accuracy(network: Network, split: Split) -> float:
    """Returns the accuracy."""
    return float((network(split.images).argmax(axis=1) == split.labels).mean())


def separation(network: Network, digits: Split, others: np.ndarray) -> float:
    """Returns the AUROC: the probability that a digit gets a higher confidence than a non-digit."""
    confidence = [network(images).max(axis=1) for images in (digits.images, others)]
    is_digit = np.repeat([1, 0], [len(part) for part in confidence])
    return float(roc_auc_score(is_digit, np.concatenate(confidence)))


if __name__ == "__main__":
    errors.run(main)

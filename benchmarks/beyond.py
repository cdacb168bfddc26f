"""What choices about robustness are made on: the validation versions of the sets of `metrics/robustness.json`.

    python -m benchmarks.beyond models/model.keras ...

The validation split as it is and as frames; squeezed into 8x8 pixels as scikit-learn's digits are, and with wider
strokes; distorted; the drawings of `drawings/validation.json`, and those of them that are no digit. A line a model.
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

DRAWINGS = Path("drawings/validation.json")
IMAGES, DISTORTED = 3000, 500  # of the validation split, the first ones
WIDEST = 24  # of 32 pixels: scikit-learn's digits are narrower than MNIST's


def main() -> None:
    """Chooses nothing; a person does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    arguments = parser.parse_args()
    parameters = params.load()
    determinism.configure(parameters.train.threads)
    validation = tfrecords.read(paths.TFRECORDS, "validation")
    drawings = strokes.read(DRAWINGS)
    sets = versions(validation.take(np.arange(min(len(validation), IMAGES)))) | {
        "drawings": drawn_digits.drawn(drawings)
    }
    others = drawn_digits.no_digits(drawings)
    few = validation.take(np.arange(min(len(validation), DISTORTED)))
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
    """The validation split in the ways that are said above."""
    images = list(validation.images[..., 0])
    pictures = {
        "framed": images,
        "8x8": [squeezed(image) for image in images],
        "8x8, wider": [squeezed(ndimage.grey_dilation(image, (2, 2))) for image in images],
    }
    framed = {name: Split(drawn_digits.framed(each), validation.labels) for name, each in pictures.items()}
    return {"validation": validation, **framed}


def squeezed(image: np.ndarray) -> np.ndarray:
    """As E. Alpaydin and C. Kaynak made theirs: 32x32 pixels of black or white, counted in blocks of 4x4.

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
    """The share of right answers."""
    return float((network(split.images).argmax(axis=1) == split.labels).mean())


def separation(network: Network, digits: Split, others: np.ndarray) -> float:
    """The probability that a digit gets a higher confidence than what is none (the area under the ROC curve)."""
    confidence = [network(images).max(axis=1) for images in (digits.images, others)]
    is_digit = np.repeat([1, 0], [len(part) for part in confidence])
    return float(roc_auc_score(is_digit, np.concatenate(confidence)))


if __name__ == "__main__":
    errors.run(main)

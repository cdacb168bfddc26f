"""Stage `robustness`: the model, drawings and test images in; accuracy on drawings and corrupted images out."""

from functools import partial

import numpy as np

from digits import params
from digits.core import errors, files, paths
from digits.drawing import strokes
from digits.evaluation import robustness
from digits.models import determinism, keras_file, metadata
from digits.splits import tfrecords


def main() -> None:
    """Measures only; the augmentation was chosen on validation versions of these sets."""
    parameters = params.load()
    determinism.configure(parameters.processor)
    test = tfrecords.read(paths.TFRECORDS, "test")
    report = robustness.measure(
        partial(keras_file.probabilities, keras_file.load(paths.MODEL)),
        metadata.read(paths.ABOUT),
        test.take(np.arange(min(len(test), parameters.robustness.images))),
        strokes.read(paths.DRAWINGS),
        parameters.seed,
    )
    files.write_json(paths.ROBUSTNESS_METRICS, report.metrics)
    files.write_csv(paths.ROBUSTNESS, report.rows)
    files.write_arrays(paths.STRESSED, report.images)
    print(", ".join(f"{name} {row['accuracy']:.2%}" for name, row in report.metrics.items() if "accuracy" in row))


if __name__ == "__main__":
    errors.run(main)

"""Stage `visualize`: the outputs of the other stages in; figures and a description of the network out."""

from digits import params
from digits.core import errors, files, paths
from digits.core.progress import track
from digits.models import keras_file, metadata
from digits.reporting import data, network_text, results, training, trust
from digits.splits import tfrecords

HISTORY = {"epoch": int, **dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"), float)}
PREDICTIONS = {"actual": str, "predicted": str, "confidence": float}
CALIBRATION = dict.fromkeys(("confidence", "accuracy", "accuracy_low", "accuracy_high", "count"), float)
TRADE_OFF = dict.fromkeys(("threshold", "refused", "error", "error_low", "error_high"), float)
STRESS = {"distortion": str, "level": str, "strength": float, "accuracy": float}
SHOWCASE = ("samples_index", "samples_images", "samples_probabilities", "mistakes_index", "mistakes_images")


def main() -> None:
    """Draws the data, the network, the training and the results.

    The test images come from `evaluate`; this stage does not read the test split.
    """
    parameters = params.load()
    limits, seed = parameters.active_recipe.augmentation, parameters.seed
    classes = tfrecords.read_spec(paths.TFRECORDS).classes
    train = tfrecords.read(paths.TFRECORDS, "train")
    counts = {name: split["per_class"] for name, split in files.read_json(paths.DATA_METRICS)["splits"].items()}
    history = files.read_csv(paths.HISTORY, HISTORY)
    predictions = files.read_csv(paths.PREDICTIONS, PREDICTIONS)
    calibration = files.read_csv(paths.CALIBRATION, CALIBRATION)
    showcase = files.read_arrays(paths.SHOWCASE, SHOWCASE)
    trade_off = files.read_csv(paths.REFUSAL, TRADE_OFF)
    stress = files.read_csv(paths.ROBUSTNESS, STRESS, optional={"framed": float})
    stressed = files.read_arrays(paths.STRESSED, ["examples"])
    sure = metadata.read(paths.ABOUT).decision.sure
    model = keras_file.load(paths.MODEL)

    figures = {
        **data.pictures(train, classes, counts, limits, seed),
        **training.pictures(history),
        **results.pictures(predictions, calibration, showcase, classes),
        **trust.pictures(trade_off, sure, stress, stressed, classes),
    }
    for name, figure in track(figures.items(), "pictures", len(figures)):
        files.write_figure(paths.PLOTS / f"{name}.png", figure)
    files.write_text(paths.SUMMARY, network_text.summary(model))
    files.write_text(paths.ARCHITECTURE, network_text.dot(model))


if __name__ == "__main__":
    errors.run(main)

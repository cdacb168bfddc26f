"""Stage `visualize`: what the other stages wrote in, pictures and a description of the network out."""

from digits import about, artifacts, diagrams, errors, models, params, paths, pictures, records

HISTORY = {"epoch": int, **dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"), float)}
PREDICTIONS = {"actual": str, "predicted": str, "confidence": float}
CALIBRATION = dict.fromkeys(("confidence", "accuracy", "accuracy_low", "accuracy_high", "count"), float)
TRADE_OFF = dict.fromkeys(("threshold", "refused", "error", "error_low", "error_high"), float)
STRESS = {"distortion": str, "level": str, "strength": float, "accuracy": float}
SHOWCASE = ("samples_index", "samples_images", "samples_probabilities", "mistakes_index", "mistakes_images")


def main() -> None:
    """Draws the data, the network, the training and the results.

    The test images among them come from `evaluate`, which alone measures on that split.
    """
    parameters = params.load()
    limits, seed = parameters.active_recipe.augmentation, parameters.seed
    classes = records.read_spec(paths.TFRECORDS).classes
    train = records.read(paths.TFRECORDS, "train")
    counts = {name: split["per_class"] for name, split in artifacts.read_json(paths.DATA_METRICS)["splits"].items()}
    history = artifacts.read_csv(paths.HISTORY, HISTORY)
    predictions = artifacts.read_csv(paths.PREDICTIONS, PREDICTIONS)
    calibration = artifacts.read_csv(paths.CALIBRATION, CALIBRATION)
    showcase = artifacts.read_arrays(paths.SHOWCASE, SHOWCASE)
    trade_off = artifacts.read_csv(paths.REFUSAL, TRADE_OFF)
    stress = artifacts.read_csv(paths.ROBUSTNESS, STRESS, optional={"framed": float})
    stressed = artifacts.read_arrays(paths.STRESSED, ["examples"])
    sure = about.read(paths.ABOUT).decision.sure
    model = models.load(paths.MODEL)

    drawn = {
        **pictures.of_data(train, classes, counts, limits, seed),
        **pictures.of_training(history),
        **pictures.of_results(predictions, calibration, showcase, classes),
        **pictures.of_trust(trade_off, sure, stress, stressed, classes),
    }
    for name, figure in drawn.items():
        artifacts.write_figure(paths.PLOTS / f"{name}.png", figure)
    artifacts.write_text(paths.SUMMARY, diagrams.summary(model))
    artifacts.write_text(paths.ARCHITECTURE, diagrams.dot(model))


if __name__ == "__main__":
    errors.run(main)

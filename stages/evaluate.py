"""Stage `evaluate`: the model, validation and test shards in; its figures, when to trust it, and tables, out."""

from digits import params
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.metrics import calibration, scoring
from digits.metrics.decision import consequences, decide, trade_off
from digits.models import determinism, keras_file
from digits.models.metadata import About
from digits.splits import tfrecords

SAMPLES = 5  # predictions shown as they come
MISTAKES = 40  # of the largest loss


def main() -> None:
    """Chooses on the validation split when the model is sure, then measures on the test split.

    The gate comes last, so that the figures are there to read.
    """
    parameters = params.load()
    determinism.configure(parameters.train.threads)
    spec = tfrecords.read_spec(paths.TFRECORDS)
    validation, test = (tfrecords.read(paths.TFRECORDS, split) for split in ("validation", "test"))
    model = keras_file.load(paths.MODEL)
    watched, probabilities = (keras_file.probabilities(model, split.images) for split in (validation, test))

    options = parameters.evaluate
    decision = decide(validation.labels, watched, max_error=options.max_error, max_lost=options.max_lost)
    uncalibrated = calibration.apply_temperature(probabilities, 1 / files.read_json(paths.TRAIN_METRICS)["temperature"])
    summary = scoring.summarize(test.labels, probabilities, spec.classes) | {
        "ece_uncalibrated": scoring.calibration_error(scoring.reliability(test.labels, uncalibrated)),
        "decision": consequences(decision, test.labels, probabilities),
    }
    files.write_json(paths.TEST_METRICS, summary)
    files.write_csv(paths.PREDICTIONS, scoring.predictions(test.labels, probabilities, spec.classes))
    files.write_csv(paths.PER_CLASS, scoring.per_class(test.labels, probabilities, spec.classes))
    files.write_csv(paths.CALIBRATION, scoring.reliability(test.labels, probabilities))
    files.write_csv(paths.REFUSAL, trade_off(validation.labels, watched))
    About(parameters.recipe, spec.name, spec.classes, test.images.shape[1:], decision, summary).write(paths.ABOUT)
    files.write_arrays(paths.SHOWCASE, scoring.showcase(test, probabilities, samples=SAMPLES, mistakes=MISTAKES))
    print(scoring.table(summary))
    gate = options.min_accuracy.get(parameters.recipe, {}).get(spec.name)
    if gate is None:
        print(f"no gate: evaluate.min_accuracy has none for {parameters.recipe} on {spec.name}")
    elif summary["accuracy"] < gate:
        raise UserError(
            f"test accuracy {summary['accuracy']:.4f} is below evaluate.min_accuracy.{parameters.recipe}.{spec.name} = "
            f"{gate}; see {paths.TEST_METRICS}, then improve the recipe or lower the gate in {paths.PARAMS}"
        )


if __name__ == "__main__":
    errors.run(main)

"""Stage `evaluate`: the model, validation and test shards in; its figures, when to trust it, and tables, out."""

from digits import artifacts, calibration, errors, models, params, paths, records, runtime, scoring
from digits.about import About
from digits.errors import UserError

SAMPLES = 5  # predictions shown as they come
MISTAKES = 40  # of the largest loss


def main() -> None:
    """Chooses on the validation split when the model is sure, then measures on the test split.

    The gate comes last, so that the figures are there to read.
    """
    parameters = params.load()
    runtime.configure(parameters.train.threads)
    spec = records.read_spec(paths.TFRECORDS)
    validation, test = (records.read(paths.TFRECORDS, split) for split in ("validation", "test"))
    model = models.load(paths.MODEL)
    watched, probabilities = (models.probabilities(model, split.images) for split in (validation, test))

    options = parameters.evaluate
    decision = calibration.decide(validation.labels, watched, max_error=options.max_error, max_lost=options.max_lost)
    uncalibrated = calibration.heated(probabilities, 1 / artifacts.read_json(paths.TRAIN_METRICS)["temperature"])
    summary = scoring.summarize(test.labels, probabilities, spec.classes) | {
        "ece_uncalibrated": scoring.calibration_error(scoring.reliability(test.labels, uncalibrated)),
        "decision": calibration.consequences(decision, test.labels, probabilities),
    }
    artifacts.write_json(paths.TEST_METRICS, summary)
    artifacts.write_csv(paths.PREDICTIONS, scoring.predictions(test.labels, probabilities, spec.classes))
    artifacts.write_csv(paths.PER_CLASS, scoring.per_class(test.labels, probabilities, spec.classes))
    artifacts.write_csv(paths.CALIBRATION, scoring.reliability(test.labels, probabilities))
    artifacts.write_csv(paths.REFUSAL, calibration.trade_off(validation.labels, watched))
    About(parameters.recipe, spec.name, spec.classes, test.images.shape[1:], decision, summary).write(paths.ABOUT)
    artifacts.write_arrays(paths.SHOWCASE, scoring.showcase(test, probabilities, samples=SAMPLES, mistakes=MISTAKES))
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

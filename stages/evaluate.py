"""Stage `evaluate`: the model and the test shards in; its figures, and tables and examples for the pictures, out."""

from digits import artifacts, errors, models, params, paths, records, runtime, scoring
from digits.errors import UserError

SAMPLES = 5  # predictions shown as they come
MISTAKES = 40  # of the largest loss


def main() -> None:
    """The only stage of the pipeline that measures on the test split.

    Its gate comes last, so that the figures are there to read.
    """
    parameters = params.load()
    runtime.configure(parameters.train.threads)
    spec = records.read_spec(paths.TFRECORDS)
    test = records.read(paths.TFRECORDS, "test")
    probabilities = models.probabilities(models.load(paths.MODEL), test.images)

    summary = scoring.summarize(test.labels, probabilities, spec.classes)
    artifacts.write_json(paths.TEST_METRICS, summary)
    artifacts.write_csv(paths.PREDICTIONS, scoring.predictions(test.labels, probabilities, spec.classes))
    artifacts.write_csv(paths.PER_CLASS, scoring.per_class(test.labels, probabilities, spec.classes))
    artifacts.write_csv(paths.CALIBRATION, scoring.reliability(test.labels, probabilities))
    artifacts.write_arrays(paths.SHOWCASE, scoring.showcase(test, probabilities, samples=SAMPLES, mistakes=MISTAKES))
    print(scoring.table(summary))
    gate = parameters.evaluate.min_accuracy.get(parameters.recipe, {}).get(spec.name)
    if gate is None:
        print(f"no gate: evaluate.min_accuracy has none for {parameters.recipe} on {spec.name}")
    elif summary["accuracy"] < gate:
        raise UserError(
            f"test accuracy {summary['accuracy']:.4f} is below evaluate.min_accuracy.{parameters.recipe}.{spec.name} = "
            f"{gate}; see {paths.TEST_METRICS}, then improve the recipe or lower the gate in {paths.PARAMS}"
        )


if __name__ == "__main__":
    errors.run(main)

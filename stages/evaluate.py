"""Stage `evaluate`: the model, validation and test shards in; its metrics, thresholds and tables out."""

from functools import partial

from digits import params
from digits.core import errors, files, paths
from digits.evaluation import examples, summary_text, test_split
from digits.models import determinism, keras_file
from digits.splits import tfrecords

SAMPLES = 5  # the first predictions, as examples
MISTAKES = 40  # at most, the largest losses first


def main() -> None:
    """Checks the gate last, so that the metrics are written even if it fails."""
    parameters = params.load()
    determinism.configure(parameters.processor)
    spec = tfrecords.read_spec(paths.TFRECORDS)
    validation, test = (tfrecords.read(paths.TFRECORDS, split) for split in ("validation", "test"))
    print(f"evaluating on {len(validation):,} validation and {len(test):,} test images", flush=True)
    report = test_split.evaluate(
        partial(keras_file.probabilities, keras_file.load(paths.MODEL)),
        validation,
        test,
        recipe=parameters.recipe,
        dataset=spec.name,
        classes=spec.classes,
        temperature=files.read_json(paths.TRAIN_METRICS, ["temperature"])["temperature"],
        promises=parameters.promises,
    )
    files.write_json(paths.TEST_METRICS, report.metrics)
    files.write_csv(paths.PREDICTIONS, report.predictions)
    files.write_csv(paths.PER_CLASS, report.per_class)
    files.write_csv(paths.CALIBRATION, report.reliability)
    files.write_csv(paths.REFUSAL, report.trade_off)
    report.metadata.write(paths.ABOUT)
    showcase = examples.showcase(test, report.probabilities, samples=SAMPLES, mistakes=MISTAKES)
    files.write_arrays(paths.SHOWCASE, showcase)
    print(summary_text.table(report.metrics))
    test_split.check_gate(report, parameters.active_gates)


if __name__ == "__main__":
    errors.run(main)

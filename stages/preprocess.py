"""Stage `preprocess`: raw arrays in; TFRecords of three splits and statistics of the data out."""

from digits import params
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.datasets import checks, raw
from digits.splits import tfrecords
from digits.splits.holdout import stratified


def main() -> None:
    """Checks the raw data first, and stops if it violates a check."""
    parameters = params.load()
    options = parameters.preprocess
    dataset = raw.read(paths.RAW)
    violations = checks.violations(dataset, max_imbalance=options.max_imbalance, max_leakage=options.max_leakage)
    if violations:
        raise UserError(f"{paths.RAW}: {'; '.join(violations)}")

    train, validation = stratified(dataset.train, options.validation_fraction, parameters.seed)
    splits = {"train": train, "validation": validation, "test": dataset.test}
    classes = dataset.card["classes"]
    tfrecords.write(paths.TFRECORDS, splits, name=dataset.card["name"], classes=classes, shards=options.shards)
    files.write_json(paths.DATA_METRICS, checks.describe(splits, classes))
    print(", ".join(f"{len(split):,} {name}" for name, split in splits.items()))


if __name__ == "__main__":
    errors.run(main)

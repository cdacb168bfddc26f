"""Stage `run`: trains and measures one recipe as the pipeline does, whichever recipe is the active one.

python -m compare.run RECIPE
"""

import sys
from functools import partial

from benchmarks import machine
from compare import places
from digits import params
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.evaluation import test_split
from digits.export import inventory
from digits.models import keras_file
from digits.splits import tfrecords
from digits.training import session


def main() -> None:
    """Resumes an interrupted training of the same recipe on the same data.

    Of several workers, the chief alone writes.
    """
    parameters = params.load()
    if len(sys.argv) != 2:
        raise UserError("say which recipe: python -m compare.run RECIPE")
    name = sys.argv[1]
    prepared = session.prepare(
        parameters.recipe_named(name),
        parameters.train,
        parameters.processor,
        seed=parameters.seed,
        records=paths.TFRECORDS,
        drawings=paths.PRACTICE_DRAWINGS,
        checkpoint=places.CHECKPOINTS / f"{name}.npz",
    )
    result = prepared.train()
    if not prepared.is_chief:
        return

    report = test_split.evaluate(
        partial(keras_file.probabilities, result.model),
        prepared.validation,
        tfrecords.read(paths.TFRECORDS, "test"),
        recipe=name,
        dataset=prepared.spec.name,
        classes=prepared.spec.classes,
        temperature=result.summary["temperature"],
        promises=parameters.promises,
    )
    folder = places.RESULTS / name
    keras_file.save(folder / places.MODEL, result.model, {"recipe": name, **prepared.provenance})
    files.write_csv(folder / places.HISTORY, result.history)
    files.write_csv(folder / places.PREDICTIONS, report.predictions)
    report.metadata.write(folder / places.ABOUT)
    inventory.write(folder / places.FORMATS, {places.MODEL: report.test_metrics["accuracy"]})
    scores = {"training": result.summary, "validation": report.validation_metrics, "test": report.test_metrics}
    files.write_json(folder / places.SCORES, scores)
    files.write_json(places.COST / f"{name}.json", {"seconds": result.seconds, "machine": machine.describe()})
    prepared.checkpoint.discard()
    print(f"{name}: {report.test_metrics['accuracy']:.2%} on the test split, {result.seconds:.0f} s")


if __name__ == "__main__":
    errors.run(main)

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
from digits.inputs import training_data
from digits.models import determinism, keras_file
from digits.splits import tfrecords
from digits.training import devices, trainer
from digits.training.checkpoints import Checkpoint


def main() -> None:
    """Resumes an interrupted training of the same recipe on the same data.

    Of several workers, the chief alone writes.
    """
    parameters = params.load()
    if len(sys.argv) != 2:
        raise UserError("say which recipe: python -m compare.run RECIPE")
    name = sys.argv[1]
    recipe, settings = parameters.recipe_named(name), parameters.train
    determinism.configure(parameters.processor, settings.precision)
    strategy = devices.strategy(settings.strategy)
    chief = devices.is_chief(strategy)

    spec = tfrecords.read_spec(paths.TFRECORDS)
    train = training_data.read(
        paths.TFRECORDS, paths.PRACTICE_DRAWINGS, recipe, memory_mb=settings.memory_mb, seed=parameters.seed
    )
    validation, test = (tfrecords.read(paths.TFRECORDS, split) for split in ("validation", "test"))
    with strategy.scope():
        identity = trainer.identity(recipe, parameters.seed, (parameters.processor, settings), train, validation)
    checkpoint = Checkpoint(places.CHECKPOINTS / f"{name}.npz", identity, writes=chief)
    result = trainer.train(
        recipe,
        train,
        validation,
        classes=len(spec.classes),
        seed=parameters.seed,
        checkpoint=checkpoint,
        strategy=strategy,
    )
    if not chief:
        return

    report = test_split.evaluate(
        partial(keras_file.probabilities, result.model),
        validation,
        test,
        recipe=name,
        dataset=spec.name,
        classes=spec.classes,
        temperature=result.summary["temperature"],
        promises=parameters.promises,
    )
    folder = places.RESULTS / name
    keras_file.save(folder / places.MODEL, result.model)
    files.write_csv(folder / places.HISTORY, result.history)
    files.write_csv(folder / places.PREDICTIONS, report.predictions)
    report.metadata.write(folder / places.ABOUT)
    scores = {"training": result.summary, "validation": report.validation_metrics, "test": report.test_metrics}
    files.write_json(folder / places.SCORES, scores)
    files.write_json(places.COST / f"{name}.json", {"seconds": result.seconds, "machine": machine.describe()})
    checkpoint.discard()
    print(f"{name}: {report.test_metrics['accuracy']:.2%} on the test split, {result.seconds:.0f} s")


if __name__ == "__main__":
    errors.run(main)

"""Stage `run`: one recipe, trained and measured as the pipeline does it, whatever recipe is the active one.

python -m compare.run RECIPE
"""

import sys

from benchmarks import machine
from compare import places
from digits import params
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.metrics import scoring
from digits.metrics.decision import decide
from digits.models import determinism, keras_file
from digits.models.metadata import About
from digits.splits import tfrecords
from digits.training import devices, trainer
from digits.training.checkpoints import Checkpoint


def main() -> None:
    """Takes up an interrupted training of the same recipe on the same data where it was."""
    parameters = params.load()
    if len(sys.argv) != 2:
        raise UserError("say which recipe: python -m compare.run RECIPE")
    name = sys.argv[1]
    recipe, settings = parameters.recipe_named(name), parameters.train
    determinism.configure(settings.threads, settings.precision)

    spec = tfrecords.read_spec(paths.TFRECORDS)
    train, validation, test = (tfrecords.read(paths.TFRECORDS, split) for split in ("train", "validation", "test"))
    with devices.strategy(settings.strategy).scope():
        identity = trainer.identity(recipe, parameters.seed, settings, train, validation)
        checkpoint = Checkpoint(places.CHECKPOINTS / f"{name}.npz", identity)
        result = trainer.train(
            recipe, train, validation, classes=len(spec.classes), seed=parameters.seed, checkpoint=checkpoint
        )

    folder = places.RESULTS / name
    keras_file.save(folder / places.MODEL, result.model)
    files.write_csv(folder / places.HISTORY, result.history)
    probabilities = keras_file.probabilities(result.model, test.images)
    watched = keras_file.probabilities(result.model, validation.images)  # the same images for all recipes
    files.write_csv(folder / places.PREDICTIONS, scoring.predictions(test.labels, probabilities, spec.classes))
    scores = {
        "training": result.summary,
        "validation": scoring.summarize(validation.labels, watched, spec.classes),
        "test": scoring.summarize(test.labels, probabilities, spec.classes),
    }
    limits = {"max_error": parameters.evaluate.max_error, "max_lost": parameters.evaluate.max_lost}
    decision = decide(validation.labels, watched, **limits)
    shape = test.images.shape[1:]
    About(name, spec.name, spec.classes, shape, decision, scores["test"]).write(folder / places.ABOUT)
    files.write_json(folder / places.SCORES, scores)
    files.write_json(places.COST / f"{name}.json", {"seconds": result.seconds, "machine": machine.describe()})
    checkpoint.discard()
    print(f"{name}: {scores['test']['accuracy']:.2%} on the test split, {result.seconds:.0f} s")


if __name__ == "__main__":
    errors.run(main)

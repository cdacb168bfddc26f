"""Stage `run`: one recipe, trained and measured as the pipeline does it, whatever recipe is the active one.

python -m compare.run RECIPE
"""

import sys

from compare import places
from digits import artifacts, calibration, errors, models, params, paths, records, runtime, scoring, training
from digits.about import About
from digits.checkpoints import Checkpoint
from digits.errors import UserError


def main() -> None:
    """Takes up an interrupted training of the same recipe on the same data where it was."""
    parameters = params.load()
    if len(sys.argv) != 2:
        raise UserError("say which recipe: python -m compare.run RECIPE")
    name = sys.argv[1]
    recipe, settings = parameters.recipe_named(name), parameters.train
    runtime.configure(settings.threads, settings.precision)

    spec = records.read_spec(paths.TFRECORDS)
    train, validation, test = (records.read(paths.TFRECORDS, split) for split in ("train", "validation", "test"))
    with runtime.strategy(settings.strategy).scope():
        identity = training.identity(recipe, parameters.seed, settings, train, validation)
        checkpoint = Checkpoint(places.CHECKPOINTS / f"{name}.npz", identity)
        result = training.train(
            recipe, train, validation, classes=len(spec.classes), seed=parameters.seed, checkpoint=checkpoint
        )

    folder = places.RESULTS / name
    models.save(folder / places.MODEL, result.model)
    artifacts.write_csv(folder / places.HISTORY, result.history)
    probabilities = models.probabilities(result.model, test.images)
    watched = models.probabilities(result.model, validation.images)  # the same images for all recipes
    artifacts.write_csv(folder / places.PREDICTIONS, scoring.predictions(test.labels, probabilities, spec.classes))
    scores = {
        "training": result.summary,
        "validation": scoring.summarize(validation.labels, watched, spec.classes),
        "test": scoring.summarize(test.labels, probabilities, spec.classes),
    }
    limits = {"max_error": parameters.evaluate.max_error, "max_lost": parameters.evaluate.max_lost}
    decision = calibration.decide(validation.labels, watched, **limits)
    shape = test.images.shape[1:]
    About(name, spec.name, spec.classes, shape, decision, scores["test"]).write(folder / places.ABOUT)
    artifacts.write_json(folder / places.SCORES, scores)
    artifacts.write_json(places.COST / f"{name}.json", {"seconds": result.seconds, "machine": runtime.machine()})
    checkpoint.discard()
    print(f"{name}: {scores['test']['accuracy']:.2%} on the test split, {result.seconds:.0f} s")


if __name__ == "__main__":
    errors.run(main)

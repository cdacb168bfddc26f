"""Stage `train`: the training and validation shards and the active recipe in, a model and its history out."""

import time

from digits import artifacts, errors, models, params, paths, records, runtime, training
from digits.checkpoints import Checkpoint


def main() -> None:
    """Takes up an interrupted run of the same recipe on the same data where it was."""
    parameters = params.load()
    recipe = parameters.active_recipe
    runtime.configure(parameters.train.threads, parameters.train.precision)

    spec = records.read_spec(paths.TFRECORDS)
    train, validation = (records.read(paths.TFRECORDS, split) for split in ("train", "validation"))
    settings = [parameters.train.threads, parameters.train.precision, parameters.train.strategy]
    identity = [recipe.model_dump(), parameters.seed, settings, train.digest(), validation.digest()]
    checkpoint = Checkpoint(paths.CHECKPOINT, identity)

    with runtime.strategy(parameters.train.strategy).scope():
        result = training.train(
            recipe,
            train,
            validation,
            classes=len(spec.classes),
            seed=parameters.seed,
            checkpoint=checkpoint,
            log_dir=paths.LOGS / f"{parameters.recipe}-{time.strftime('%Y%m%d-%H%M%S')}",
        )
    print(f"{parameters.recipe}: {result.seconds:.0f} s")

    models.save(paths.MODEL, result.model)
    artifacts.write_csv(paths.HISTORY, result.history)
    artifacts.write_json(paths.TRAIN_METRICS, result.summary)
    checkpoint.discard()


if __name__ == "__main__":
    errors.run(main)

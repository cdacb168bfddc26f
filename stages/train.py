"""Stage `train`: the training and validation shards and the active recipe in, a model and its history out."""

import time

from digits import artifacts, errors, models, params, paths, records, runtime, training
from digits.checkpoints import Checkpoint


def main() -> None:
    """Takes up an interrupted run of the same recipe on the same data where it was."""
    parameters = params.load()
    recipe = parameters.active_recipe
    settings = parameters.train
    runtime.configure(settings.threads, settings.precision)

    spec = records.read_spec(paths.TFRECORDS)
    train, validation = (records.read(paths.TFRECORDS, split) for split in ("train", "validation"))
    with runtime.strategy(settings.strategy).scope():
        identity = training.identity(recipe, parameters.seed, settings, train, validation)
        checkpoint = Checkpoint(paths.CHECKPOINT, identity)
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

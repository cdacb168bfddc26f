"""Stage `train`: the training and validation shards and the active recipe in, a model and its history out."""

import time

from digits import artifacts, errors, models, params, paths, records, runtime, training
from digits.checkpoints import Checkpoint


def main() -> None:
    """Takes up an interrupted run of the same recipe on the same data where it was."""
    parameters = params.load()
    recipe = parameters.active_recipe
    runtime.configure(parameters.train.threads)

    spec = records.read_spec(paths.TFRECORDS)
    train, validation = (records.read(paths.TFRECORDS, split) for split in ("train", "validation"))
    identity = [recipe.model_dump(), parameters.seed, parameters.train.threads, train.digest(), validation.digest()]
    checkpoint = Checkpoint(paths.CHECKPOINT, identity)

    started = time.perf_counter()
    result = training.train(
        recipe,
        train,
        validation,
        classes=len(spec.classes),
        seed=parameters.seed,
        checkpoint=checkpoint,
        log_dir=paths.LOGS / f"{parameters.recipe}-{time.strftime('%Y%m%d-%H%M%S')}",
    )
    print(f"{parameters.recipe}: {time.perf_counter() - started:.0f} s")

    models.save(paths.MODEL, result.model)
    artifacts.write_csv(paths.HISTORY, result.history)
    artifacts.write_json(paths.TRAIN_METRICS, training.summarize(result))
    checkpoint.discard()


if __name__ == "__main__":
    errors.run(main)

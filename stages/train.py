"""Stage `train`: the training and validation shards and the active recipe in, a model and its history out."""

import time

from digits import params
from digits.core import errors, files, paths
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
    recipe = parameters.active_recipe
    settings = parameters.train
    determinism.configure(parameters.processor, settings.precision)
    strategy = devices.strategy(settings.strategy)
    chief = devices.is_chief(strategy)

    spec = tfrecords.read_spec(paths.TFRECORDS)
    train = training_data.read(
        paths.TFRECORDS, paths.PRACTICE_DRAWINGS, recipe, memory_mb=settings.memory_mb, seed=parameters.seed
    )
    validation = tfrecords.read(paths.TFRECORDS, "validation")
    with strategy.scope():
        identity = trainer.identity(recipe, parameters.seed, (parameters.processor, settings), train, validation)
    checkpoint = Checkpoint(paths.CHECKPOINT, identity, writes=chief)
    result = trainer.train(
        recipe,
        train,
        validation,
        classes=len(spec.classes),
        seed=parameters.seed,
        checkpoint=checkpoint,
        log_dir=paths.LOGS / f"{parameters.recipe}-{time.strftime('%Y%m%d-%H%M%S')}" if chief else None,
        strategy=strategy,
    )
    print(f"{parameters.recipe}: {result.seconds:.0f} s")
    if not chief:
        return

    keras_file.save(paths.MODEL, result.model)
    files.write_csv(paths.HISTORY, result.history)
    files.write_json(paths.TRAIN_METRICS, result.summary)
    checkpoint.discard()


if __name__ == "__main__":
    errors.run(main)

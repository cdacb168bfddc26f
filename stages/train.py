"""Stage `train`: the training and validation shards and the active recipe in, a model and its history out."""

import time

from digits import params
from digits.core import errors, files, paths
from digits.models import keras_file
from digits.training import session


def main() -> None:
    """Resumes an interrupted training of the same recipe on the same data.

    Of several workers, the chief alone writes.
    """
    parameters = params.load()
    prepared = session.prepare(
        parameters.active_recipe,
        parameters.train,
        parameters.processor,
        seed=parameters.seed,
        records=paths.TFRECORDS,
        drawings=paths.PRACTICE_DRAWINGS,
        checkpoint=paths.CHECKPOINT,
    )
    result = prepared.train(
        paths.LOGS / f"{parameters.recipe}-{time.strftime('%Y%m%d-%H%M%S')}",
        lambda history: files.write_csv(paths.HISTORY, history),  # so that `dvc plots` shows a training that runs
    )
    print(f"{parameters.recipe}: {result.seconds:.0f} s")
    if not prepared.is_chief:
        return

    keras_file.save(paths.MODEL, result.model, {"recipe": parameters.recipe, **prepared.provenance})
    files.write_csv(paths.HISTORY, result.history)
    files.write_json(paths.TRAIN_METRICS, result.summary)
    prepared.checkpoint.discard()


if __name__ == "__main__":
    errors.run(main)

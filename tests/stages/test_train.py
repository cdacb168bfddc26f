import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from dvc.utils.hydra import apply_overrides

from digits import params
from digits.core import files, paths
from digits.splits import tfrecords
from stages import preprocess, train
from tests.conftest import ROOT
from tools import rebuild_twice


def test_a_plain_keras_model_from_pixels_to_probabilities(project):
    model = keras.models.load_model("models/model.keras")
    images = tfrecords.read(Path("data/tfrecords"), "validation").images
    np.testing.assert_allclose(model.predict(images, verbose=0).sum(axis=1), 1, rtol=1e-5)
    assert model.input.dtype == "uint8"


def test_the_metrics_are_those_of_the_saved_model(project):
    validation = tfrecords.read(Path("data/tfrecords"), "validation")
    metrics = json.loads(Path("metrics/train.json").read_text())
    loss, accuracy, _ = keras.models.load_model("models/model.keras").evaluate(
        validation.images, validation.labels, verbose=0
    )
    assert abs(metrics["val_loss"] - loss) < 1e-5
    assert abs(metrics["val_accuracy"] - accuracy) < 1e-5


def test_the_history(project):
    with open("plots/history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]


def test_no_output_tells_when_or_how_long(project):
    assert not {"seconds", "time", "date"} & set(json.loads(Path("metrics/train.json").read_text()))


def test_logs_for_tensorboard(project):
    assert list(Path("logs").glob("tiny-*/train/events*"))


def test_no_checkpoint_remains(project):
    assert not list(Path("models").glob("checkpoint*"))


def test_damaged_records(project, fails):
    path = min(Path("data/tfrecords").glob("train-*"))
    path.write_bytes(path.read_bytes()[:-5])
    assert f"{path}: corrupt or truncated; run `dvc repro -f preprocess`" in fails(train)


def test_no_records(project, fails):
    (Path("data/tfrecords") / tfrecords.SPEC).unlink()
    assert "data/tfrecords/dataset.json: No such file" in fails(train)


def test_a_set_that_does_not_fit_the_memory_is_streamed(project, set_params, monkeypatch):
    set_params("memory_mb: 1024", "memory_mb: 1")  # the shards take 1.1 MB
    read = []
    whole = tfrecords.read
    monkeypatch.setattr(tfrecords, "read", lambda folder, split: read.append(split) or whole(folder, split))
    train.main()
    assert read == ["validation"]
    assert json.loads(Path("metrics/train.json").read_text())["val_accuracy"] > 0.3


def test_a_shard_that_is_too_large_to_be_streamed(project, fails, set_params):
    set_params("memory_mb: 1024", "memory_mb: 1")
    set_params("shards: 4", "shards: 1")
    preprocess.main()
    message = fails(train)
    assert "train-00000-of-00001.tfrecord: 1.1 MB; with half of train.memory_mb for one group of shards" in message
    assert "train.memory_mb: 3, or preprocess.shards: 4 or more" in message


def test_an_unknown_recipe(project, fails, set_params):
    set_params("recipe: tiny", "recipe: huge")
    assert "no block 'huge' under recipes; there are fast_cnn, accurate_cnn" in fails(train)


def test_a_network_that_does_not_fit_the_image(project, fails, set_params):
    set_params("recipe: tiny", "recipe: cnn_compact")
    set_params(
        "stages: [{filters: [32], pool: true, dropout: 0}",
        "stages: [{filters: [8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8], pool: false, dropout: 0}",
    )
    assert "does not fit images of 28x28x1" in fails(train)


def test_the_history_grows_by_the_epoch_and_the_test_split_is_not_read(project, monkeypatch):
    for path in Path("data/tfrecords").glob("test-*"):
        path.write_bytes(b"unreadable")
    rows = []
    write = files.write_csv

    def watched(path, history):
        write(path, history)
        rows.append(path.read_text().splitlines()[1:])

    monkeypatch.setattr(files, "write_csv", watched)
    train.main()
    assert [len(written) for written in rows] == [1, 2, 2]
    assert rows[0] == rows[2][:1], "and is then the same as at the end"


@pytest.mark.pipeline
@pytest.mark.parametrize("recipe", params.load(ROOT / paths.PARAMS).recipes)
def test_every_recipe_gives_the_same_bytes_in_another_place(recipe, finished_project, tmp_path):
    # Two epochs: the last one of `ours` has no distortions.
    settings = [f"recipe={recipe}", f"recipes.{recipe}.epochs=2"]
    made = []
    for name, conditions in rebuild_twice.PLACES.items():
        folder = tmp_path / name
        shutil.copytree(finished_project, folder)
        apply_overrides(folder / paths.PARAMS, settings)
        own = rebuild_twice.home(tmp_path / "home") if conditions.home else {}
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **conditions.environment, **own}
        with rebuild_twice.limited_cores(conditions.cores), rebuild_twice.busy(conditions.load):
            subprocess.run([sys.executable, "-m", "stages.train"], check=True, cwd=folder, env=environment)
        made.append({path: (folder / path).read_bytes() for path in (paths.MODEL, paths.HISTORY, paths.TRAIN_METRICS)})
    assert json.loads(made[0][paths.TRAIN_METRICS])
    for path in made[0]:
        assert made[0][path] == made[1][path], path

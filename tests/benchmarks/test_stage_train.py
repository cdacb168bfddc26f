import os
import sys

import numpy as np
from ruamel.yaml import YAML

from benchmarks import stage_train
from digits.core import paths
from digits.models import keras_file
from digits.splits import tfrecords


def test_the_parameters_are_changed_and_nothing_else(project, tmp_path):
    folder = tmp_path / "trial"
    folder.mkdir()
    stage_train.prepare(folder, {"seed": 7, "train.precision": "mixed_bfloat16"})
    before, after = (YAML(typ="safe").load(path) for path in (project / paths.PARAMS, folder / paths.PARAMS))
    before["seed"], before["train"]["precision"] = 7, "mixed_bfloat16"
    assert after == before
    assert {path.name for path in (folder / paths.TFRECORDS).iterdir()} == {
        path.name for path in (project / paths.TFRECORDS).iterdir()
    }
    assert (folder / paths.PRACTICE_DRAWINGS).exists()


def test_a_command_gets_none_of_our_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    code = "import os; open('seen', 'w').write(repr(sorted(os.environ)))"
    assert stage_train.timed([sys.executable, "-c", code], tmp_path) > 0
    assert "TF_ENABLE_ONEDNN_OPTS" in os.environ
    assert "TF_ENABLE_ONEDNN_OPTS" not in (tmp_path / "seen").read_text()


def test_the_accuracy_is_that_of_the_test_split(project):
    test = tfrecords.read(paths.TFRECORDS, "test")
    answers = keras_file.load(paths.MODEL).predict(test.images, verbose=0).argmax(axis=1)
    assert stage_train.accuracy(paths.MODEL) == np.mean(answers == test.labels)

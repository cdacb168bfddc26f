import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from digits.core import paths
from stages import headline
from tests.conftest import ROOT

READ = [paths.TRAIN_METRICS, paths.TEST_METRICS, paths.ROBUSTNESS_METRICS, paths.EXPORT_METRICS]


def read(path):
    return json.loads(Path(path).read_text())


def test_the_figures_are_those_of_the_other_stages(project):
    figures = read("metrics/headline.json")
    test, robustness = read("metrics/test.json"), read("metrics/robustness.json")
    assert {name: figures[name] for name in ("accuracy", "accuracy_low", "accuracy_high", "loss", "ece")} == {
        name: test[name] for name in ("accuracy", "accuracy_low", "accuracy_high", "loss", "ece")
    }
    assert figures["refused"] == test["decision"]["refused"]
    assert figures["drawings"] == robustness["drawings"]["accuracy"]
    assert figures["val_accuracy"] == read("metrics/train.json")["val_accuracy"]
    assert figures["int8_bytes"] == Path("models/model_int8.tflite").stat().st_size
    assert "scikit_learn" not in figures, "the network was trained on these"


def test_they_are_few_and_numbers(project):
    figures = read("metrics/headline.json")
    assert 10 <= len(figures) <= 14
    assert all(isinstance(value, int | float) for value in figures.values())


def test_it_says_what_it_got(project, capsys):
    headline.main()
    accuracy = read("metrics/test.json")["accuracy"]
    assert capsys.readouterr().out == f"metrics/headline.json: {accuracy:.2%} on the test split\n"


def test_the_same_bytes_again(project):
    before = Path("metrics/headline.json").read_bytes()
    Path("metrics/headline.json").unlink()
    headline.main()
    assert Path("metrics/headline.json").read_bytes() == before


@pytest.mark.parametrize("path", READ, ids=str)
def test_missing_and_damaged_metrics_are_named(project, fails, path):
    path.write_text("{")
    assert f"{path}: not readable as JSON" in fails(headline)
    path.unlink()
    assert f"{path}: No such file or directory; run `dvc repro`" in fails(headline)


def test_it_is_the_only_metrics_file_of_the_pipeline():
    stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    metrics = [name for stage in stages.values() for metric in stage.get("metrics", []) for name in metric]
    assert metrics == [paths.HEADLINE.as_posix()]

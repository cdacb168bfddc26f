import json
import subprocess
from pathlib import Path

import pytest

from digits.core.errors import UserError
from tools.review import side

PARAMS = """
dataset: digits
recipe: tiny
bases: {ours: {a: 1}, published: {a: 2}}
recipes: {tiny: {base: ours, epochs: 2}, other: {base: published, epochs: 3}}
"""
LOCK = "stages: {preprocess: {outs: [{path: data/tfrecords, md5: abc.dir}]}}\n"
DATA = {"splits": {"test": {"images": 360}, "validation": {"images": 144}}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("metrics", "plots", ".dvc"):
        Path(name).mkdir()
    Path("params.yaml").write_text(PARAMS)
    Path("dvc.lock").write_text(LOCK)
    Path("metrics/headline.json").write_text(json.dumps({"accuracy": 0.9, "refused": 0.25}))
    Path("metrics/data.json").write_text(json.dumps(DATA))
    Path("metrics/robustness.json").write_text(json.dumps({"drawings": {"total": 280}}))
    Path("plots/predictions.csv").write_text("index,actual,predicted,confidence,loss\n0,2,2,0.9,0.1\n")
    return tmp_path


def commit(message):
    Path(".dvc/config").touch()
    for command in (["init", "--quiet"], ["add", "--all", "--force"]):
        subprocess.run(["git", *command], check=True)
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", *identity, "commit", "--quiet", "-m", message], check=True)


def test_the_work_tree(folder):
    found = side.read(None)
    assert found.name == "this folder"
    assert found.headline["accuracy"] == 0.9
    assert found.totals == {
        "accuracy": 360, "refused": 360, "int8_agreement": 360, "val_accuracy": 144, "wrong_when_sure": 270,
        "drawings": 280,
    }  # fmt: skip
    assert found.predictions == [{"index": 0.0, "actual": "2", "predicted": "2", "confidence": 0.9, "loss": 0.1}]
    assert found.history is None
    assert found.same_data(side.read(None))


def test_parameters_of_other_recipes_and_bases_do_not_count(folder):
    assert side.read(None).params == {
        "dataset": "digits", "recipe": "tiny", "bases.ours.a": 1, "recipes.tiny.base": "ours", "recipes.tiny.epochs": 2,
    }  # fmt: skip


def test_a_commit(folder):
    commit("first")
    Path("metrics/headline.json").write_text(json.dumps({"accuracy": 0.5, "refused": 0}))
    Path("dvc.lock").unlink()
    assert side.read("HEAD").headline["accuracy"] == 0.9
    assert side.read(None).headline["accuracy"] == 0.5
    assert not side.read("HEAD").same_data(side.read(None))


def test_an_unknown_revision_is_one_line(folder):
    commit("first")
    with pytest.raises(UserError, match=r"^nowhere: no such branch, commit or experiment here"):
        side.read("nowhere")


def test_a_run_without_figures_says_what_to_do(folder):
    Path("metrics/headline.json").unlink()
    with pytest.raises(UserError, match=r"^this folder has no metrics/headline\.json: run `make repro` there"):
        side.read(None)

import json
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from compare import run
from digits.splits import tfrecords


@pytest.fixture(scope="module")
def tiny(finished_project, tmp_path_factory):
    """A finished project in which the tiny recipe is measured, too."""
    folder = shutil.copytree(finished_project, tmp_path_factory.mktemp("tiny") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["run", "tiny"])
        run.main()
    return folder


@pytest.fixture
def measured(tiny, monkeypatch):
    monkeypatch.chdir(tiny)
    return tiny


def test_the_model_is_that_of_the_pipeline(measured):
    ours, pipelines = (keras.models.load_model(f"{place}/model.keras") for place in ("compare/results/tiny", "models"))
    for one, other in zip(ours.get_weights(), pipelines.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert Path("compare/results/tiny/history.csv").read_text() == Path("plots/history.csv").read_text()
    assert Path("compare/results/tiny/predictions.csv").read_text() == Path("plots/predictions.csv").read_text()


def test_what_a_user_must_know_is_that_of_the_pipeline(measured):
    ours, pipelines = (
        json.loads(Path(f"{folder}/about.json").read_text()) for folder in ("compare/results/tiny", "models")
    )
    assert ours == pipelines


def test_the_scores_are_those_of_the_pipeline(measured):
    scores = json.loads(Path("compare/results/tiny/scores.json").read_text())
    pipelines = json.loads(Path("metrics/test.json").read_text())
    assert scores["test"] == {name: pipelines[name] for name in scores["test"]}
    assert scores["training"] == json.loads(Path("metrics/train.json").read_text())


def test_validation_is_on_the_same_images_whatever_a_recipe_holds_out(project, monkeypatch, set_params):
    model = "model: {architecture: tiny, width: 8}\n"
    set_params(model, f"{model}    validation_fraction: 0.3\n")
    monkeypatch.setattr(sys, "argv", ["run", "tiny"])
    run.main()
    validation = tfrecords.read(Path("data/tfrecords"), "validation")
    scores = json.loads(Path("compare/results/tiny/scores.json").read_text())
    assert scores["validation"]["total"] == len(validation)
    model = keras.models.load_model("compare/results/tiny/model.keras")
    _, accuracy, _ = model.evaluate(validation.images, validation.labels, verbose=0)
    assert scores["validation"]["accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_seconds_are_apart_and_no_checkpoint_remains(measured):
    assert json.loads(Path("compare/cost/tiny.json").read_text())["seconds"] > 0
    assert "seconds" not in Path("compare/results/tiny/scores.json").read_text()
    assert not list(Path("compare/checkpoints").iterdir())


@pytest.mark.parametrize(
    ("arguments", "complaint"), [([], "say which recipe"), (["huge"], "no block 'huge' under recipes; there are")]
)
def test_a_wrong_recipe_is_one_line(project, monkeypatch, fails, arguments, complaint):
    monkeypatch.setattr(sys, "argv", ["run", *arguments])
    assert complaint in fails(run)

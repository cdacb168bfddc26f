"""The default pipeline on the real MNIST, as `make repro` runs it, but for a few epochs only; takes minutes."""

import hashlib
import json
import sys

import pytest
from dvc.dependency import ParamsDependency
from dvc.repo import Repo
from ruamel.yaml import YAML

from tests.conftest import ROOT, edit_params
from tests.test_pipeline import STAGES, make_clone, ran, run
from tools import comparison

pytestmark = pytest.mark.mnist

LOCK = YAML(typ="safe").load(ROOT / "dvc.lock")["stages"] if (ROOT / "dvc.lock").exists() else {}
COMPARED_LOCK = ROOT / comparison.LOCK
COMPARED = YAML(typ="safe").load(COMPARED_LOCK)["stages"] if COMPARED_LOCK.exists() else {}


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory, mnist_dir):
    folder = make_clone(tmp_path_factory.mktemp("mnist"), embedded=False)
    # Of the default recipe two epochs of 12, of the others one: enough to see that they learn.
    yaml = YAML()
    parameters = yaml.load(folder / "params.yaml")
    for name, recipe in parameters["recipes"].items():
        recipe["epochs"] = 2 if name == parameters["recipe"] else 1
    yaml.dump(parameters, folder / "params.yaml")
    edit_params(folder, ("  images: 500", "  images: 100"))
    assert ran(run(folder, "dvc", "repro", MNIST_DIR=str(mnist_dir))) == STAGES
    return folder


def test_two_epochs_reach_this_accuracy(reproduced):
    metrics = json.loads((reproduced / "metrics/test.json").read_text())
    assert metrics["total"] == 10_000
    assert metrics["accuracy"] >= 0.98
    assert metrics["ece"] < 0.02


def test_the_committed_figures_are_what_the_readme_says():
    metrics = json.loads((ROOT / "metrics/headline.json").read_text())
    assert metrics["accuracy"] >= 0.994
    assert metrics["ece"] < 0.02


def test_a_second_repro_reruns_nothing(reproduced):
    assert "Data and pipelines are up to date" in run(reproduced, "dvc", "repro")


@pytest.mark.parametrize("stage", ["download", "preprocess"])
def test_data_are_the_bytes_of_the_committed_lock_on_any_processor(reproduced, stage):
    found = YAML(typ="safe").load(reproduced / "dvc.lock")["stages"][stage]["outs"]
    assert found == LOCK[stage]["outs"]


def test_mnist_has_no_duplicates_across_splits(reproduced):
    findings = json.loads((reproduced / "metrics/data.json").read_text())
    assert findings["splits"]["train"]["images"] == 54_000
    assert set(findings["duplicates_across"].values()) == {0}


@pytest.mark.parametrize(
    ("recipe", "least"),
    [
        ("mlp_sigmoid", 0.5),
        ("mlp_two_layer", 0.94),
        ("mlp_two_layer_dropout", 0.92),
        ("mlp_dropout", 0.94),
        ("cnn_compact", 0.97),
    ],
)
def test_one_epoch_of_a_published_recipe_reaches_this_accuracy(reproduced, recipe, least):
    # `make compare` trains them whole, and all of them.
    run(reproduced, sys.executable, "-m", "compare.run", recipe)
    scores = json.loads((reproduced / f"compare/results/{recipe}/scores.json").read_text())
    assert scores["test"]["accuracy"] >= least


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """Each stage of the pipeline and of the comparison, with what the committed locks say of it."""
    folder = tmp_path_factory.mktemp("comparison")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        comparison.prepare(folder, [])
        patch.chdir(folder)
        with Repo(str(folder)) as repo:
            yield {stage.addressing: stage for stage in repo.index.stages}


@pytest.mark.filterwarnings("ignore")  # DVC's own
@pytest.mark.parametrize(
    ("command", "name"),
    [
        *[("make repro", stage) for stage in STAGES],
        *[("make compare", f"compare/dvc.yaml:{stage}") for stage in COMPARED],
    ],
)
def test_the_committed_locks_are_of_these_sources_and_parameters(locked, command, name):
    for dep in locked[name].deps:
        if isinstance(dep, ParamsDependency) or dep.def_path.endswith((".py", ".yaml")) or "digits" in dep.def_path:
            assert not dep.status(), f"{dep} changed: run `{command}` and commit its lock"


def as_given(name):
    """A parameter as `params.yaml` has it."""
    node = YAML(typ="safe").load(ROOT / "params.yaml")
    for key in name.split("."):
        node = node[key]
    return node


def test_the_committed_comparison_is_of_all_recipes_and_as_it_was_written():
    assert set(COMPARED) == {"recipes", "report", *(f"run@{name}" for name in as_given("compare.recipes"))}
    for out in COMPARED["report"]["outs"]:
        if (ROOT / out["path"]).is_file():
            assert hashlib.md5((ROOT / out["path"]).read_bytes()).hexdigest() == out["md5"]
    figures = json.loads((ROOT / "compare/metrics.json").read_text())
    assert list(figures) == as_given("compare.recipes")


def test_the_committed_seeds_begin_with_the_committed_run():
    seeds = json.loads((ROOT / f"benchmarks/seeds/{as_given('recipe')}.json").read_text())
    assert seeds["runs"][0]["test_accuracy"] == json.loads((ROOT / "metrics/headline.json").read_text())["accuracy"]

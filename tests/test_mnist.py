"""The default pipeline on the real MNIST, as `make repro` runs it; takes minutes."""

import hashlib
import json
import sys

import pytest
from ruamel.yaml import YAML

from tests.conftest import MNIST_DIR, ROOT
from tests.test_pipeline import STAGES, make_clone, ran, run

pytestmark = pytest.mark.mnist

LOCK = YAML(typ="safe").load(ROOT / "dvc.lock")["stages"] if (ROOT / "dvc.lock").exists() else {}
COMPARED = YAML(typ="safe").load(ROOT / "compare/dvc.lock")["stages"] if (ROOT / "compare/dvc.lock").exists() else {}


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    folder = make_clone(tmp_path_factory.mktemp("mnist"), embedded=False)
    assert ran(run(folder, "dvc", "repro", MNIST_DIR=str(MNIST_DIR))) == STAGES
    return folder


def test_the_accuracy_is_what_the_readme_says(reproduced):
    metrics = json.loads((reproduced / "metrics/test.json").read_text())
    assert metrics["total"] == 10_000
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
        ("mlp_sigmoid", 0.94),
        ("mlp_two_layer", 0.965),
        ("mlp_two_layer_dropout", 0.955),
        ("mlp_dropout", 0.975),
        ("cnn_compact", 0.98),
    ],
)
def test_a_published_recipe_reaches_its_accuracy(reproduced, recipe, least):
    # Those that take a minute or less; `make compare` runs them all.
    run(reproduced, sys.executable, "-m", "compare.run", recipe)
    scores = json.loads((reproduced / f"compare/results/{recipe}/scores.json").read_text())
    assert scores["test"]["accuracy"] >= least


def as_locked(name):
    """A parameter as `params.yaml` has it."""
    node = YAML(typ="safe").load(ROOT / "params.yaml")
    for key in name.split("."):
        node = node[key]
    return node


@pytest.mark.parametrize(
    ("command", "locked"),
    [
        *[pytest.param("make repro", LOCK.get(stage), id=stage) for stage in STAGES],
        *[pytest.param("make compare", entry, id=stage) for stage, entry in COMPARED.items()],
    ],
)
def test_the_committed_locks_are_of_these_sources_and_parameters(command, locked):
    for dependency in locked["deps"]:
        if dependency["path"].endswith((".py", ".yaml")):
            found = hashlib.md5((ROOT / dependency["path"]).read_bytes()).hexdigest()
            assert found == dependency["md5"], f"{dependency['path']} changed: run `{command}` and commit its lock"
    for name, value in locked["params"]["params.yaml"].items():
        assert as_locked(name) == value, f"{name} changed: run `{command}` and commit its lock"


def test_the_committed_comparison_is_of_all_recipes_and_as_it_was_written():
    assert set(COMPARED) == {"report", *(f"run@{name}" for name in as_locked("compare.recipes"))}
    for out in COMPARED["report"]["outs"]:
        if (ROOT / out["path"]).is_file():
            assert hashlib.md5((ROOT / out["path"]).read_bytes()).hexdigest() == out["md5"]
    figures = json.loads((ROOT / "compare/metrics.json").read_text())
    assert list(figures) == as_locked("compare.recipes")

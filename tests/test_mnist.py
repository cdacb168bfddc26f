"""The default pipeline on the real MNIST, as `make repro` runs it; takes minutes."""

import hashlib
import json

import pytest
from ruamel.yaml import YAML

from tests.conftest import MNIST_DIR, ROOT
from tests.test_pipeline import STAGES, make_clone, ran, run

pytestmark = pytest.mark.mnist

LOCK = YAML(typ="safe").load(ROOT / "dvc.lock")["stages"] if (ROOT / "dvc.lock").exists() else {}


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


@pytest.mark.parametrize("stage", STAGES)
def test_the_committed_lock_is_of_these_sources_and_parameters(stage):
    for dependency in LOCK[stage]["deps"]:
        if dependency["path"].endswith(".py"):
            found = hashlib.md5((ROOT / dependency["path"]).read_bytes()).hexdigest()
            assert found == dependency["md5"], f"{dependency['path']} changed: run `make repro` and commit dvc.lock"
    content = YAML(typ="safe").load(ROOT / "params.yaml")
    for name, value in LOCK[stage]["params"]["params.yaml"].items():
        node = content
        for key in name.split("."):
            node = node[key]
        assert node == value, f"{name} changed: run `make repro` and commit dvc.lock"

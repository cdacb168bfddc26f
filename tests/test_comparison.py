"""The comparison as `make compare` runs it: two small recipes on the embedded set, in a clone."""

import re

import pytest

from tests.conftest import edit_params
from tests.test_pipeline import STAGES, make_clone, run

pytestmark = pytest.mark.pipeline


def ran(output):
    return re.findall(r"Running stage '(?:compare/dvc.yaml:)?(\S+)'", output)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = make_clone(tmp_path_factory.mktemp("compared"))
    edit_params(folder, ("recipes: [fast_cnn,", "recipes: [tiny, mlp_dropout]\n  # ["))
    for name in ("dvc.lock", "REPORT.md", "metrics.json"):
        (folder / "compare" / name).unlink(missing_ok=True)
    stages = ran(run(folder, "dvc", "repro", "compare/dvc.yaml"))
    assert sorted(stages[:-3]) == ["download", "preprocess", "recipes"]
    assert stages[-3:] == ["run@tiny", "run@mlp_dropout", "report"]
    return folder


def test_the_report_is_there_and_git_would_not_take_the_models(compared):
    assert "| `mlp_dropout` | **9" in (compared / "compare/REPORT.md").read_text()
    untracked = run(compared, "git", "status", "--porcelain", "--untracked-files=all")
    assert "compare/metrics.json" in untracked
    assert "results" not in untracked


def test_nothing_changed_nothing_runs(compared):
    assert ran(run(compared, "dvc", "repro", "compare/dvc.yaml")) == []


def test_only_what_changed_is_trained_again(compared):
    edit_params(compared, ("    epochs: 2\n", "    epochs: 3\n"))
    assert ran(run(compared, "dvc", "repro", "compare/dvc.yaml")) == ["recipes", "run@tiny", "report"]
    edit_params(compared, ("recipes: [tiny, mlp_dropout]", "recipes: [mlp_dropout, mlp_two_layer]"))
    assert ran(run(compared, "dvc", "repro", "compare/dvc.yaml")) == ["recipes", "run@mlp_two_layer", "report"]
    assert "`tiny`" not in (compared / "compare/REPORT.md").read_text()


def test_a_base_counts_for_its_own_recipes_only(compared):
    edit_params(compared, ("      rotation: 10 ", "      rotation: 11 "))
    assert ran(run(compared, "dvc", "repro", "compare/dvc.yaml")) == ["recipes", "report"]


def test_the_pipeline_does_not_run_the_comparison(compared):
    assert ran(run(compared, "dvc", "repro")) == STAGES[2:]

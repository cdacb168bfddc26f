"""The comparison as `make compare` runs it: two small recipes on the embedded set, in a clone."""

import json
import re

import pytest
from dvc.repo import Repo

from tests.conftest import edit_params
from tests.test_pipeline import STAGES, commit, make_clone, run

pytestmark = pytest.mark.pipeline

COMPARISON = ("python", "-m", "tools.comparison")


def ran(output):
    return re.findall(r"Running stage '(?:compare/dvc.yaml:)?(\S+)'", output)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = make_clone(tmp_path_factory.mktemp("compared"))
    edit_params(folder, ("recipes: [fast_cnn,", "recipes: [tiny, mlp_dropout]\n  # ["))
    for name in ("pipeline.lock", "REPORT.md", "metrics.json"):
        (folder / "compare" / name).unlink(missing_ok=True)
    commit(folder)
    output = run(folder, *COMPARISON)
    stages = ran(output)
    assert sorted(stages[:-3]) == ["download", "preprocess", "recipes"]
    assert stages[-3:] == ["run@tiny", "run@mlp_dropout", "report"]
    assert output.endswith("report: compare/REPORT.md   DVC's project: runs/compare\n")
    return folder


def test_report_metrics_pictures_and_lock_are_there_to_commit_and_no_models(compared):
    assert "| `mlp_dropout` | **9" in (compared / "compare/REPORT.md").read_text()
    assert list(json.loads((compared / "compare/metrics.json").read_text())) == ["tiny", "mlp_dropout"]
    changed = run(compared, "git", "status", "--porcelain", "--untracked-files=all").splitlines()
    assert {line[3:] for line in changed} <= {
        "compare/REPORT.md",
        "compare/metrics.json",
        "compare/pipeline.lock",
        *(f"compare/plots/{name}.png" for name in ("accuracy_cost", "hard_images", "learning_curves")),
    }
    assert "run@mlp_dropout" in (compared / "compare/pipeline.lock").read_text()


def test_the_models_lie_in_the_project_of_the_comparison(compared):
    assert (compared / "runs/compare/compare/results/tiny/model.keras").is_file()
    assert not (compared / "runs/compare/.dvc/cache").exists(), "the cache is shared"
    assert "mlp_dropout.test_accuracy" in run(compared / "runs/compare", "dvc", "metrics", "show", "--md")


@pytest.mark.filterwarnings("ignore")  # DVC's own
def test_dvc_finds_nothing_of_it_in_the_pipeline(compared):
    for command in (
        ("metrics", "show", "--json"),
        ("dag",),
        ("stage", "list", "--all", "--name-only"),
        ("list", ".", "--dvc-only", "-R"),
    ):
        assert "compare" not in run(compared, "dvc", *command), command
    assert "run@" not in run(compared, "dvc", "status")
    with Repo(str(compared)) as repo:
        assert {stage.path_in_repo for stage in repo.index.stages} == {"dvc.yaml"}
        assert [stage.name for stage in repo.index.stages] == STAGES
        assert not [out for out in repo.index.outs if out.def_path.startswith("compare")]
        assert not [out for out in repo.index.outs if out.def_path.startswith("runs")]


def test_nothing_changed_nothing_runs(compared):
    assert ran(run(compared, *COMPARISON)) == []


def test_only_what_changed_is_trained_again(compared):
    edit_params(compared, ("    epochs: 2\n", "    epochs: 3\n"))
    assert ran(run(compared, *COMPARISON)) == ["recipes", "run@tiny", "report"]
    edit_params(compared, ("recipes: [tiny, mlp_dropout]", "recipes: [mlp_dropout, mlp_two_layer]"))
    assert ran(run(compared, *COMPARISON)) == ["recipes", "run@mlp_two_layer", "report"]
    assert "`tiny`" not in (compared / "compare/REPORT.md").read_text()


def test_a_base_counts_for_its_own_recipes_only(compared):
    edit_params(compared, ("      rotation: 10 ", "      rotation: 11 "))
    assert ran(run(compared, *COMPARISON)) == ["recipes", "report"]


def test_the_pipeline_takes_the_data_and_no_more_from_the_comparison(compared):
    output = run(compared, "dvc", "repro")
    assert ran(output) == STAGES[2:]
    assert "Stage 'preprocess' is cached - skipping run" in output


def test_another_comparison_leaves_the_committed_one_alone(compared):
    files = [path for path in (compared / "compare").rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files if "__pycache__" not in path.parts}
    params = (compared / "params.yaml").read_bytes()
    output = run(compared, *COMPARISON, "one", "--set", "compare.recipes=[mlp_dropout]", "seed=21")
    assert "run@mlp_dropout" in ran(output)
    assert output.endswith("report: runs/compare-one/compare/REPORT.md   DVC's project: runs/compare-one\n")
    assert "`mlp_two_layer`" not in (compared / "runs/compare-one/compare/REPORT.md").read_text()
    assert {path: path.read_bytes() for path in before} == before
    assert (compared / "params.yaml").read_bytes() == params


def test_a_failed_run_ends_with_the_status_of_dvc_and_its_line(compared):
    before = (compared / "compare/REPORT.md").read_bytes()
    output = run(compared, *COMPARISON, "wrong", "--set", "seed=-1", check=False)
    assert "seed is -1: input should be greater than or equal to 0" in output
    assert "report: " not in output
    assert (compared / "compare/REPORT.md").read_bytes() == before

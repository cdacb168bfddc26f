"""What the workflows run, run here: each job's commands in a fresh clone, with stand-ins for GitHub."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, edit_params
from tests.test_contracts import JOBS
from tests.test_makefile import with_environment
from tests.test_pipeline import commit, run

pytestmark = pytest.mark.pipeline

# What the command of a job gets besides, so that it takes seconds.
SHORT = {
    "make test": {"ARGS": "tests/tools/review/test_charts.py", "PYTHON": Path(sys.executable).name},
    "make test-all": {"ARGS": "-m 'pipeline or browser' tests/test_browser.py --collect-only"},
}
GH = """\
#!/usr/bin/env bash
# Stands in for GitHub: has the artifact of the other job, and remembers what it is asked for and the last comment.
echo "$*" >>"$GITHUB/asked"
case "$1 $2" in
    "run download") mkdir -p runs/downloaded/ci && cp "$GITHUB/report.md" runs/downloaded/ci ;;
    "api --paginate") test ! -e "$GITHUB/comment.md" || echo 17 ;;
    "api --method") cp "${6#*@}" "$GITHUB/comment.md" ;;
esac
"""


def make_whole_clone(folder):
    """The project as it is in this work tree, with its tests, in a repository of its own with one commit."""
    tracked = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard").split()
    for name in tracked:
        if (ROOT / name).is_file() and not name.startswith("compare/results/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    edit_params(folder, ("    epochs: 10\n", "    epochs: 2\n"), ("embedded: {digits: 0.95}", "embedded: {}"))
    commit(folder, "init")
    return with_environment(folder)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_whole_clone(tmp_path_factory.mktemp("base"))


@pytest.fixture
def clone(base, tmp_path):
    return Path(shutil.copytree(base, tmp_path / "clone", symlinks=True))


def execute(folder, command, *, check=True, **environment):
    """Runs a step as the runner would: by bash, in the clone."""
    given = {**SHORT.get(command, {}), "CI": "", "MNIST_DIR": "", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    return run(folder, "bash", "-e", "-c", command, check=check, **given, **environment)


def commands(job):
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_lint(clone):
    for command in commands("ci.yml:lint"):
        assert "Contracts: 3 kept, 0 broken." in execute(clone, command)


def test_test(clone):
    for command in commands("ci.yml:test"):
        assert re.search(r"\d passed", execute(clone, command))


def test_fresh(clone):
    edit_params(clone, ("\nseed: ", "\nseed: 1"))
    for command in commands("ci.yml:fresh"):
        output = execute(clone, command, check=False)
        assert "fresh: the lock is of other sources or parameters: run `make repro` and commit dvc.lock" in output
        assert "dvc.lock: train: modified: parameter seed" in output


def test_pipeline_and_comment(clone, tmp_path):
    first = run(clone, "git", "rev-parse", "HEAD").strip()
    edit_params(clone, ("    epochs: 2\n", "    epochs: 3\n"))
    commit(clone)
    for command in commands("ci.yml:pipeline"):
        execute(clone, command, BASE=first)
    assert run(clone, "git", "status", "--porcelain", "--untracked-files=no") == ""
    report = (clone / "runs/ci/report.md").read_text()
    assert "## The committed run\n" in report
    assert "### target → proposed" in report
    assert "| recipes.embedded.epochs | 2 | 3 |" in report
    assert (clone / "summary.md").read_text() == report
    assert (clone / "runs/ci/report.html").exists()
    assert (clone / "runs/proposed/plots/mistakes.png").exists()

    github = tmp_path / "github"
    (github / "bin").mkdir(parents=True)
    (github / "bin/gh").write_text(GH)
    (github / "bin/gh").chmod(0o755)
    shutil.copy(clone / "runs/ci/report.md", github)
    variables = {
        "GITHUB": str(github),
        "GITHUB_RUN_ID": "5",
        "GITHUB_REPOSITORY": "some/repo",
        "GITHUB_SERVER_URL": "https://server",
        "PULL_REQUEST": "7",
        "PATH": f"{github}/bin:{os.environ['PATH']}",
    }
    for _ in range(2):
        for command in commands("ci.yml:comment"):
            execute(clone, command, **variables)
    asked = (github / "asked").read_text().splitlines()
    assert [line.split()[2] for line in asked if "--method" in line] == ["POST", "PATCH"]
    assert "repos/some/repo/issues/7/comments " in asked[2]
    assert "repos/some/repo/issues/comments/17 " in asked[5]
    comment = (github / "comment.md").read_text()
    assert comment.startswith("<!-- digits: report -->\n## The committed run")
    assert comment.endswith("[Pictures and files](https://server/some/repo/actions/runs/5#artifacts)\n")


def test_without_a_gpu_the_first_step_fails_and_says_so(clone):
    command, *_ = commands("gpu.yml:rebuild")
    output = execute(clone, command, check=False, CUDA_VISIBLE_DEVICES="-1")
    assert "TensorFlow sees no GPU: check the driver with nvidia-smi" in output


def test_a_rebuild_needs_storage(clone):
    output = execute(clone, ".ci/rebuild", check=False)
    assert output == "DVC_REMOTE is not set: name the storage of the outputs, such as a folder\n"


def test_a_rebuild_with_other_parameters_is_stored_compared_and_not_committed(clone, tmp_path):
    storage = tmp_path / "storage"
    settings = {
        "RECIPE": "tiny",
        "DATASET": "digits",
        "SETTINGS": "robustness.images=12 export.representative_images=50",
        "DVC_REMOTE": str(storage),
    }
    before = run(clone, "git", "rev-parse", "HEAD")
    for step in JOBS["gpu.yml:rebuild"]["steps"]:
        if "run" in step and step["run"] != ".ci/gpu" and step.get("if") != "inputs.dataset == ''":
            execute(clone, step["run"], **settings)
    assert list(storage.glob("files/md5/*/*"))
    assert list(storage.glob("runs/*/*")), "the run-cache is stored too"
    assert "recipe" in (clone / "summary.md").read_text()
    assert run(clone, "git", "rev-parse", "HEAD") == before


def test_what_a_rebuild_changed_is_committed_and_pushed_once(clone, tmp_path):
    origin = tmp_path / "origin.git"
    run(tmp_path, "git", "clone", "--quiet", "--bare", str(clone), str(origin))
    run(clone, "git", "remote", "add", "origin", str(origin))
    branch = run(clone, "git", "branch", "--show-current").strip()
    run(clone, "git", "fetch", "--quiet", "origin")
    run(clone, "git", "branch", "--set-upstream-to", f"origin/{branch}")
    execute(clone, ".ci/publish")
    assert run(origin, "git", "rev-list", "--count", branch).strip() == "1"
    (clone / "metrics/headline.json").write_text("{}")
    execute(clone, ".ci/publish", SETTINGS="seed=2")
    assert run(origin, "git", "rev-list", "--count", branch).strip() == "1"
    for _ in range(2):
        execute(clone, ".ci/publish", GH_TOKEN="secret")
    assert run(origin, "git", "rev-list", "--count", branch).strip() == "2"
    assert run(origin, "git", "log", "-1", "--format=%s", branch) == "Rebuilt on the GPU runner [skip ci]\n"


def test_weekly(clone):
    # The builds themselves: tests/tools/test_rebuild_twice.py.
    (command,) = commands("weekly.yml:verify")
    assert "--set dataset=digits recipe=embedded" in run(clone, "make", "--dry-run", *command.split()[1:])
    assert "--set" not in run(clone, "make", "--dry-run", *command.split()[1:], ALL="1")
    for command in commands("weekly.yml:slow"):
        assert re.search(r"tests? collected|collected \d+", execute(clone, command))
    # The look-up itself: tests/tools/test_audit.py.
    (command,) = commands("weekly.yml:audit")
    assert "python -m tools.audit" in run(clone, "make", "--dry-run", *command.split()[1:])

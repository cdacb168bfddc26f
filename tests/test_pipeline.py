"""The whole pipeline as a user runs it: `dvc repro` in a clone, with the embedded set and the tiny recipe."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.conftest import EMBEDDED, ROOT, edit_params
from tools import plots_page

pytestmark = pytest.mark.pipeline

STAGES = ["download", "preprocess", "train", "evaluate", "robustness", "visualize", "export", "headline"]
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)  # what Python leaves beside the sources must not count as a source
for name in (
    "ARGS",
    "MAKEFLAGS",
    "MAKELEVEL",
):  # of `make test-all ARGS=...`: a make below it would run these tests again
    ENVIRONMENT.pop(name, None)


def run(folder, *command, check=True, **environment):
    """Runs a command in a folder and returns what it printed on both channels."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**ENVIRONMENT, **environment},
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert not check or done.returncode == 0, done.stdout
    return done.stdout


def make_clone(folder, *, embedded=True):
    """The project as it is in this work tree, in a repository of its own; set to embedded data and a tiny network."""
    tracked = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard").split()
    for name in tracked:
        if (ROOT / name).is_file() and not name.startswith(("tests/", "metrics/headline", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    run(folder, "dvc", "config", "--local", "core.site_cache_dir", str(folder / ".dvc/site-cache"))
    if embedded:
        edit_params(folder, *EMBEDDED)
    commit(folder, "init")
    return folder


def commit(folder, *init):
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    for command in ([[*init]] if init else []) + [["add", "--all"], [*identity, "commit", "--quiet", "--message", "m"]]:
        run(folder, "git", *command)


def ran(output):
    return [stage for stage in STAGES if f"Running stage '{stage}'" in output]


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    folder = make_clone(tmp_path_factory.mktemp("clone"))
    assert ran(run(folder, "dvc", "repro")) == STAGES
    commit(folder)
    return folder


@pytest.fixture
def clone(reproduced, tmp_path):
    """A copy of a clone in which everything is up to date."""
    return Path(shutil.copytree(reproduced, tmp_path / "clone", symlinks=True))


def test_the_figures_are_there_and_plausible(reproduced):
    metrics = json.loads((reproduced / "metrics/test.json").read_text())
    assert metrics["total"] == 360
    assert 0.3 < metrics["accuracy_low"] < metrics["accuracy"] < metrics["accuracy_high"] <= 1
    shown = json.loads(run(reproduced, "dvc", "metrics", "show", "--json"))
    assert list(shown[""]["data"]) == ["metrics/headline.json"]
    assert shown[""]["data"]["metrics/headline.json"]["data"]["accuracy"] == metrics["accuracy"]


def test_an_unchanged_repository_reruns_nothing(reproduced):
    assert "Data and pipelines are up to date" in run(reproduced, "dvc", "repro")
    assert run(reproduced, "git", "status", "--porcelain") == ""


def test_a_forced_run_gives_the_same_bytes(clone):
    before = (clone / "dvc.lock").read_bytes()
    output = run(clone, "dvc", "repro", "--force", "--no-run-cache", PYTHONHASHSEED="7", TZ="Asia/Tokyo", LC_ALL="C")
    assert ran(output) == STAGES
    assert (clone / "dvc.lock").read_bytes() == before
    assert run(clone, "git", "status", "--porcelain") == ""


def test_a_parameter_reruns_what_it_affects_and_shows_in_the_diff(clone):
    edit_params(
        clone,
        ("batch_size: 128\n    epochs: 2\n", "batch_size: 32\n    epochs: 2\n"),
    )
    assert ran(run(clone, "dvc", "repro")) == STAGES[2:]
    diff = json.loads(run(clone, "dvc", "metrics", "diff", "--json"))
    assert list(diff) == ["metrics/headline.json"]
    assert diff["metrics/headline.json"]["accuracy"]["diff"] != 0
    assert "recipes.tiny.batch_size" in run(clone, "dvc", "params", "diff")


def test_another_gate_reruns_the_evaluation_only(clone):
    edit_params(clone, ("tiny: {digits: 0.3}", "tiny: {digits: 0.2}"))
    assert ran(run(clone, "dvc", "repro")) == ["evaluate"]


def test_a_missed_gate_stops_the_pipeline_with_its_line(clone):
    edit_params(clone, ("tiny: {digits: 0.3}", "tiny: {digits: 1.0}"))
    output = run(clone, "dvc", "repro", check=False)
    assert "evaluate: test accuracy 0." in output
    assert "ERROR: failed to reproduce 'evaluate'" in output


def test_a_training_killed_midway_is_continued_to_the_same_bytes(clone):
    edit_params(clone, ("    epochs: 2\n", "    epochs: 40\n"))
    run(clone, "dvc", "repro", "train")
    undisturbed = (clone / "dvc.lock").read_bytes()
    shutil.rmtree(clone / ".dvc/cache/runs")
    run(clone, "git", "checkout", "dvc.lock")
    (clone / "models/model.keras").unlink()

    training = subprocess.Popen(
        [sys.executable, "-m", "stages.train"], cwd=clone, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    checkpoint = clone / "models/checkpoint.1.npz"
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    training.send_signal(signal.SIGKILL)
    training.communicate()
    assert checkpoint.exists(), "killed after an epoch"
    assert not (clone / "models/model.keras").exists(), "killed before the end"

    output = run(clone, "dvc", "repro", "train")
    assert "epoch 1/40" not in output, "continued, not begun anew"
    assert "epoch 40/40" in output
    assert (clone / "dvc.lock").read_bytes() == undisturbed
    assert not checkpoint.exists()


def test_dvc_plots_show_and_diff(clone):
    template = clone / ".dvc/plots.html"
    template.write_text(plots_page.page())
    run(clone, "dvc", "config", "--local", "plots.html_template", str(template))
    run(clone, "dvc", "plots", "show", "--out", "page")
    page = (clone / "page/index.html").read_text()
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.https?:", page), "nothing comes from the network"
    for title in ("Loss over the epochs", "Confusion on the test split", "F1 of each class", "Accuracy against confid"):
        assert title in page
    assert "plots_mistakes.png" in page
    edit_params(clone, ("    epochs: 2\n", "    epochs: 3\n"))
    run(clone, "dvc", "repro")
    run(clone, "dvc", "plots", "diff", "--out", "difference")
    assert '"rev": "HEAD"' in (clone / "difference/index.html").read_text()


def test_an_experiment_in_a_copy_leaves_no_trace(clone):
    # As `make run` does it, and with no name set up for git.
    command = ("dvc", "exp", "run", "--temp", "--name", "try", "--set-param", "recipes.tiny.epochs=1")
    run(clone, *command, HOME=str(clone.parent), GIT_CONFIG_NOSYSTEM="1")
    assert run(clone, "git", "status", "--porcelain") == ""
    run(clone, "dvc", "get", "--quiet", ".", "plots", "--rev", "try", "--out", "runs/plots")
    assert len((clone / "runs/plots/history.csv").read_text().splitlines()) == 2
    assert (clone / "runs/plots/mistakes.png").exists()


def draw_pictures(folder, count):
    """Writes pictures of dots, bars and rings on grain, each somewhere else."""
    generator = np.random.default_rng(0)
    for name in ("bar", "dot", "ring"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture = Image.fromarray(generator.integers(0, 60, (40, 48, 3), dtype=np.uint8))
            x, y = generator.integers(8, 20, 2).tolist()
            place = (x + 8, y, x + 12, y + 18) if name == "bar" else (x, y, x + 18, y + 18)
            colour = "white" if name != "ring" else None
            ImageDraw.Draw(picture).ellipse(place, fill=colour, outline="white", width=2)
            picture.save(folder / name / f"{number}.png")


def test_a_folder_of_pictures_goes_through_all_stages(tmp_path):
    draw_pictures(tmp_path / "my pictures", 100)
    clone = make_clone(tmp_path / "clone")
    edit_params(
        clone,
        ("dataset: digits", f"dataset: 'folder:{tmp_path / 'my pictures'}'"),
        ("batch_size: 128\n    epochs: 2\n", "batch_size: 16\n    epochs: 8\n"),
    )
    assert ran(run(clone, "dvc", "repro")) == STAGES
    test = json.loads((clone / "metrics/test.json").read_text())
    assert test["total"] == 60
    assert list(test["per_class"]) == ["bar", "dot", "ring"]
    assert test["accuracy"] > 0.8, "a third would be chance"
    headline = json.loads((clone / "metrics/headline.json").read_text())
    assert not {"drawings", "scikit_learn", "no_digits_refused"} & set(headline), "for digits only"
    about = json.loads((clone / "models/about.json").read_text())
    assert (about["dataset"], about["classes"]) == ("folder:my pictures", ["bar", "dot", "ring"])
    assert about["image_shape"] == [28, 28, 1]
    assert "folder:my pictures" in (clone / "models/README.md").read_text()
    assert "Data and pipelines are up to date" in run(clone, "dvc", "repro")


def small_files_only():
    """As on a full disk: nothing longer than 4 kB can be written."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize("stage", STAGES[:-1])  # the last writes less than that
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(clone, stage):
    before = {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{stage}"],
        cwd=clone,
        env=ENVIRONMENT,
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=small_files_only,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{stage}: ")
    assert "File too large" in line
    after = {path: path.read_bytes() for path in clone.rglob("*") if path.is_file() and "logs" not in path.parts}
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert all("logs" in path.parts or path.suffix in (".json", ".csv") for path in changed), changed


def test_outside_the_project_is_one_line(tmp_path):
    # As all stages in one process: tests/stages/test_failures.py.
    done = subprocess.run(
        [sys.executable, "-m", "stages.evaluate"],
        cwd=tmp_path,
        env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == "evaluate: params.yaml: no such file here; run from the project's root\n"

"""The everyday recipes of docs/experiments.md, as they stand there: in a clone, on the embedded set, with `tiny`."""

import contextlib
import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest
from ruamel.yaml import YAML

from digits.core import files
from tests.conftest import ROOT, free_port
from tests.test_makefile import with_environment
from tests.test_pipeline import commit, make_clone, run

pytestmark = pytest.mark.pipeline

DOCUMENT = (ROOT / "docs/experiments.md").read_text(encoding="utf-8")
SECTIONS = {
    heading: re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for heading, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
}
# The base has 2 epochs, and 3 are tried by themselves: of the five in the queue, DVC has four in its cache.
SMALL = {"fast_cnn.epochs=5": "tiny.epochs=3", "fast_cnn.epochs=3,4,5,6,7": "tiny.epochs=2,3,2,3,4"}


class Walk:
    """Runs the commands of the document in its order, each once.

    Attributes:
        folder: a clone, with a name that has a space and a letter beyond ASCII.
    """

    def __init__(self, folder):
        self.folder = folder
        self.environment = {"PATH": f"{folder}/.venv/bin:{os.environ['PATH']}"}
        self._printed = {}

    def __call__(self, heading):
        """Returns what each block of a section printed, after all that stands before it."""
        for name, blocks in SECTIONS.items():
            if name not in self._printed:
                self._printed[name] = [self.bash(block) for block in blocks]
            if name == heading:
                return self._printed[name]
        raise KeyError(heading)

    def bash(self, commands):
        """Runs commands as a person types them; a service is started where it is tested."""
        for ours, small in SMALL.items():
            commands = commands.replace(ours, small)
        if "make api" in commands:
            return ""
        return run(self.folder, "bash", "-euo", "pipefail", "-c", commands, **self.environment)

    def git(self, *arguments):
        return run(self.folder, "git", *arguments).strip()

    def epochs(self):
        """What the clone now has: the epochs in params.yaml, and those of the model that lies there."""
        recipes = YAML(typ="safe").load(self.folder / "params.yaml")["recipes"]
        return recipes["tiny"]["epochs"], len((self.folder / "plots/history.csv").read_text().splitlines()) - 1


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    place = tmp_path_factory.mktemp("folder")
    folder = make_clone(place / "clone").rename(place / "mein Projekt ä")  # `dvc config` cannot write such a path
    walk = Walk(with_environment(folder))
    run(folder, "python", "-m", "tools.configure_dvc", **walk.environment)
    run(folder, "dvc", "repro", **walk.environment)
    walk.git("branch", "--move", "main")
    for key in ("user.name", "user.email"):
        walk.git("config", key, "test@localhost")
    commit(folder)
    two_weeks_ago = f"{int(time.time()) - 14 * 86400} +0000"
    run(folder, "git", "commit", "--quiet", "--amend", "--no-edit", GIT_COMMITTER_DATE=two_weeks_ago)
    return walk


def test_one_value_is_changed_compared_and_dropped(walk):
    run_and_compared, _ = walk("Change one value and compare")
    assert re.search(r"^\| test accuracy \| .* \| ▲ better \|", run_and_compared, re.MULTILINE)
    assert "| recipes.tiny.epochs | 2 | 3 |" in run_and_compared
    assert (walk.folder / "runs/review/report.html").exists()
    assert walk.git("status", "--porcelain") == ""
    assert walk.epochs() == (2, 2)


def test_five_run_from_the_queue_and_the_best_stands_first(walk):
    (printed,) = walk("Queue five and let them run")
    table = printed[printed.rindex("\nexperiment  ") :]
    shown = re.findall(r"^(epochs-\d) .*?(?:recipes\.tiny\.epochs=(\d))?$", table, re.MULTILINE)
    assert shown[0] == ("epochs-5", "4")
    assert sorted(shown[1:]) == [("epochs-1", ""), ("epochs-2", "3"), ("epochs-3", ""), ("epochs-4", "3")]
    assert walk.git("status", "--porcelain") == ""
    assert walk.epochs() == (2, 2)


def test_a_branch_begins_with_the_best(walk):
    walk("Branch from the best")
    assert walk.git("branch", "--show-current") == "better"
    assert walk.epochs() == (4, 4)
    assert "up to date" in run(walk.folder, "dvc", "status", **walk.environment)


def test_two_branches_are_compared(walk):
    (printed,) = walk("Compare two branches")
    assert "### main → better" in printed
    assert "| recipes.tiny.epochs | 2 | 4 |" in printed


def test_last_weeks_model_is_back_and_today_again(walk):
    (last_week, *_) = SECTIONS["Back to last week's model"]
    walk("Compare two branches")
    assert "of " in walk.bash(last_week)
    assert walk.epochs() == (2, 2), "the committed run is two weeks old, the branch of today"
    walk("Back to last week's model")
    assert walk.git("branch", "--show-current") == "main"
    assert (walk.folder / "runs/main/models/about.json").exists()


@contextlib.contextmanager
def served(walk):
    """Runs the command of the document that serves, and gives what its /health answers."""
    (command,) = [block for block in SECTIONS["Promote a version and serve it"] if block.startswith("make api")]
    port = free_port()
    service = subprocess.Popen(
        [*command.split(), f"PORT={port}"],
        cwd=walk.folder,
        env={**os.environ, **walk.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        lines = []
        for line in service.stdout:
            lines.append(line)
            if f"http://127.0.0.1:{port}" in line:
                break
        yield "".join(lines), urllib.request.urlopen(f"http://127.0.0.1:{port}/health").read().decode()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.pid, signal.SIGINT)
        service.communicate()


def model_of(walk, revision):
    run(
        walk.folder,
        "dvc",
        "get",
        ".",
        "models/model.tflite",
        "--rev",
        revision,
        "--force",
        "--out",
        "model",
        **walk.environment,
    )
    return files.sha256(walk.folder / "model")


def test_a_promoted_version_is_served_and_rolled_back(walk):
    promoted, _ = walk("Promote a version and serve it")
    assert re.search(r"digits +│ v0\.0\.2 +│ v0\.0\.2", promoted)
    with served(walk) as (printed, health):
        assert "digits v0.0.2 is in stage prod: runs/prod/models" in printed
        assert model_of(walk, "better") in health
    walk("Roll back")
    with served(walk) as (printed, health):
        assert "digits v0.0.1 is in stage prod" in printed
        assert model_of(walk, "main") in health

"""What `make` does before it hands over, and the set-up as a user meets it: in any folder, with and without git."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, edit_params
from tests.test_pipeline import make_clone, ran

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
LAYERS = ["", *(f"-{path.stem.removeprefix('requirements-')}" for path in ROOT.glob("requirements-*.lock"))]


def make(folder, *arguments, **environment):
    given = {**os.environ, **environment}
    for name in ("MAKEFLAGS", "MAKELEVEL", "MNIST_DIR", "PYTHONDONTWRITEBYTECODE"):
        if name not in environment:
            given.pop(name, None)
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=folder, env=given, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@pytest.fixture
def tell(tmp_path):
    """Gives the value of MNIST_DIR that a stage would see."""
    (tmp_path / "tell.mk").write_text('tell:\n\t@echo "<$$MNIST_DIR>"\n')

    def run(*arguments, folder=ROOT, **environment):
        return make(
            folder, "-f", str(ROOT / "Makefile"), "-f", str(tmp_path / "tell.mk"), "tell", *arguments, **environment
        )

    return run


@pytest.mark.parametrize("name", ["plain", "meine Daten ä", "it's $HOME"])
def test_a_relative_folder_becomes_absolute(tell, tmp_path, name):
    (tmp_path / name).mkdir()
    expected = f"<{tmp_path / name}>\n"
    assert tell(f"MNIST_DIR={name.replace('$', '$$')}", folder=tmp_path).stdout == expected
    assert tell(folder=tmp_path, MNIST_DIR=name.replace("$", "$$")).stdout == expected


def test_a_folder_that_is_not_there_is_one_line_and_not_the_network(tell):
    for done in (tell("MNIST_DIR=no/such"), tell(MNIST_DIR="no/such")):
        assert done.returncode
        (line,) = done.stdout.splitlines()
        assert "MNIST_DIR=no/such: no such folder; name the one that has the four .gz files" in line


def test_without_a_folder_nothing_is_set(tell):
    assert tell().stdout == tell("MNIST_DIR=").stdout == "<>\n"


def test_help_lists_every_target_in_its_group():
    listed = make(ROOT, "help").stdout
    assert set(re.findall(r"^  make ([a-z-]+) ", listed, re.MULTILINE)) == set(TARGETS)
    assert [line for line in listed.splitlines() if re.fullmatch(r"[A-Z][a-z ]+", line)] == [
        "Train",
        "Look",
        "Use",
        "Develop",
        "Set up",
    ]
    assert make(ROOT).stdout == listed


def test_no_target_is_taken_for_a_file():
    (phony,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)
    assert sorted(phony.replace("\\", "").split()) == sorted(TARGETS)


def test_without_a_python_it_is_one_line(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.lock", "requirements-uv.lock"):
        (tmp_path / name).touch()
    done = make(tmp_path, "setup", "PYTHON=")
    assert done.returncode
    assert done.stdout.startswith("no Python 3.11, 3.12 or 3.13 with venv found: install one")


def test_each_target_installs_what_it_needs_and_no_more():
    def asked(*arguments):
        printed = make(ROOT, "--dry-run", "--always-make", "PYTHON=python3", *arguments).stdout
        return re.findall(r"-m tools\.install requirements-?(\w*)\.lock", printed)

    assert asked("run") == asked("repro") == asked("compare") == asked("show") == [""]
    assert asked("demo") == asked("api") == ["", "apps"]
    assert asked("plots") == [""]
    assert asked("netron") == ["", "view"]
    assert asked("sweep") == ["", "search"]
    assert asked("test") == asked("lint") == ["", "apps", "view", "dev"]
    assert asked("setup", "GPU=1") == ["", "gpu"]
    assert asked("repro", "STORAGE=s3") == ["", "s3"]


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ([], ["python -m tools.comparison"]),
        (["DATASET=digits"], ["python -m tools.comparison 'digits' --set 'dataset=digits'"]),
        (["DATASET=emnist/digits"], ["python -m tools.comparison 'emnist-digits' --set 'dataset=emnist/digits'"]),
    ],
)
def test_a_comparison_on_another_dataset_has_its_name(arguments, command):
    printed = make(ROOT, "--dry-run", "--old-file", ".venv/.ready", "compare", *arguments).stdout
    assert [" ".join(line.split()) for line in printed.splitlines() if "tools.comparison" in line] == command


def with_environment(folder):
    """Gives a clone the environment of these tests as its own, so that `make` has nothing to install."""
    own = folder / ".venv"
    own.mkdir()
    for name in ("bin", "lib"):
        (own / name).symlink_to(Path(sys.prefix, name))
    shutil.copy(Path(sys.prefix, "pyvenv.cfg"), own)
    for layer in LAYERS:
        (own / f".ready{layer}").touch()
    return folder


@pytest.fixture(scope="module")
def umlauts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folder")
    clone = make_clone(folder / "clone")  # `dvc config`, which it calls, cannot write such a path
    return with_environment(clone.rename(folder / "mein Projekt ä"))


def status(folder):
    return subprocess.run(["git", "status", "--porcelain"], cwd=folder, check=True, capture_output=True).stdout


@pytest.mark.pipeline
def test_make_run_twice_in_a_folder_of_any_name_shows_the_second_run(umlauts):
    edit_params(umlauts, ("    epochs: 10\n", "    epochs: 2\n"), ("embedded: {digits: 0.95}", "embedded: {}"))
    before = status(umlauts)
    done = make(umlauts, "run")
    assert done.returncode == 0, done.stdout
    assert "undo: .venv/bin/dvc exp remove embedded" in done.stdout
    assert status(umlauts) == before
    history = umlauts / "runs/embedded/plots/history.csv"
    assert len(history.read_text().splitlines()) == 3
    (umlauts / "runs/embedded/plots/stale").touch()

    edit_params(umlauts, ("    epochs: 2\n", "    epochs: 1\n"))
    done = make(umlauts, "run")
    assert done.returncode == 0, done.stdout
    assert len(history.read_text().splitlines()) == 2
    assert not (umlauts / "runs/embedded/plots/stale").exists()

    shown = make(umlauts, "show").stdout
    assert re.search(r"^embedded .* recipes\.embedded\.epochs=1", shown, re.MULTILINE), shown


@pytest.mark.pipeline
def test_dvc_leaves_the_committed_lists_of_outputs_as_they_are(tmp_path):
    clone = with_environment(make_clone(tmp_path / "clone"))
    done = make(clone, "repro")
    assert done.returncode == 0, done.stdout
    changed = {line.split()[-1] for line in status(clone).decode().splitlines()}
    assert changed == {"dvc.lock", "metrics/headline.json"}, "make_clone leaves these out"


@pytest.mark.pipeline
def test_an_archive_without_git(tmp_path):
    folder = with_environment(make_clone(tmp_path / "archive"))
    shutil.rmtree(folder / ".git")
    done = make(folder, "run")
    assert done.returncode
    (line,) = [line for line in done.stdout.splitlines() if not line.startswith("make")]
    assert "git init && git add --all" in line

    subprocess.run([sys.executable, "-m", "tools.configure_dvc"], cwd=folder, check=True)  # as the installation does
    command = [sys.executable, "-m", "dvc", "repro", "download"]
    output = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    assert ran(output) == ["download"]

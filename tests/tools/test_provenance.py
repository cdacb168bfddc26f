import hashlib
import json
import subprocess
import sys
import zipfile

import pytest

from digits.core import errors
from digits.models import provenance as records
from tools import provenance

RECORD = {
    "recipe": "tiny",
    "dataset": "bars",
    "data": {"training": "abc", "validation": "def"},
    "seed": 1,
    "parameters": {"epochs": 3, "loss": {"labels": "integer"}},
    "processor": {"class": "x86_64 with avx2", "threads": 2},
}


def git(*arguments):
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    done = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def lock(path, checksum, data="1"):
    outs = f"  train:\n    outs:\n    - path: {path}\n      md5: {checksum}\n"
    raw = f"  download:\n    outs:\n    - path: data/raw\n      md5: {data}.dir\n"
    return f"schema: '2.0'\nstages:\n{raw}{outs}"


def commit(message, path, text):
    path.write_text(text)
    git("add", "--all")
    git("commit", "--quiet", "-m", message)
    return git("rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository, in a folder below its root, with a model that is not committed."""
    folder = tmp_path / "repository" / "project"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    git("init", "--quiet", "--initial-branch=main")
    (folder / ".gitignore").write_text("*.keras\nsaved_model\n")
    with zipfile.ZipFile("model.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({records.KEY: RECORD}))
    return folder


@pytest.fixture
def told(project, monkeypatch, capsys):
    """What the command prints, by name."""

    def call(model="model.keras"):
        monkeypatch.setattr(sys, "argv", ["provenance", model])
        errors.run(provenance.main)
        lines = capsys.readouterr().out.splitlines()
        return {line[:14].strip(): line[14:] for line in lines if not line.startswith(" ")}, lines

    return call


def checksum(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_the_first_commit_whose_lock_has_the_model_is_its_own(project, told):
    file = project / "dvc.lock"
    commit("before", file, lock("model.keras", "0" * 32))
    made = commit("trained", file, lock("model.keras", checksum(project / "model.keras"), data="77"))
    commit("evaluated again", file, file.read_text() + "  evaluate: {}\n")
    commit("another one", file, lock("model.keras", "1" * 32))
    facts, _ = told()
    assert facts["commit"].startswith(f"{made} of ")
    assert facts["commit"].endswith(": trained")
    assert facts["data/raw"] == "md5 77.dir"


def test_an_experiment_that_no_branch_has_is_found(project, told):
    commit("before", project / "dvc.lock", lock("model.keras", "0" * 32))
    made = commit("experiment", project / "dvc.lock", lock("model.keras", checksum(project / "model.keras")))
    git("update-ref", "refs/exps/ab/cdef/name", made)
    git("reset", "--quiet", "--hard", "HEAD~1")
    assert told()[0]["commit"].startswith(made)


def test_the_file_itself_tells_the_rest(told):
    facts, lines = told()
    assert facts["recipe"] == "tiny"
    assert facts["data"] == "training abc, validation def"
    assert facts["processor"] == "class x86_64 with avx2, threads 2"
    assert lines[-2:] == ["  epochs: 3", '  loss: {"labels": "integer"}']


def test_a_model_that_no_commit_has(project, told):
    assert told()[0]["commit"].startswith("unknown: no dvc.lock in the history of this folder lists it (md5 ")
    (project / "dvc.lock").write_text(lock("model.keras", checksum(project / "model.keras"), data="5"))
    facts, _ = told()
    assert facts["commit"] == "none yet: dvc.lock here lists it, and is not committed"
    assert facts["data/raw"] == "md5 5.dir"


@pytest.mark.parametrize("text", ["stages: [", "stages: 3", "[]", "stages: {a: {outs: [1]}}", "stages: {a: {outs: 5}}"])
def test_a_damaged_lock_is_told(project, told, text):
    (project / "dvc.lock").write_text(f"{text} # {checksum(project / 'model.keras')}")
    with pytest.raises(SystemExit, match=r"dvc\.lock: damaged"):
        told()


def test_a_model_without_a_record_is_told(project, told):
    with zipfile.ZipFile("other.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
    with pytest.raises(SystemExit, match=r"other\.keras: holds no record of its training"):
        told("other.keras")


def test_where_git_is_not_installed_the_file_still_tells_the_rest(project, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["provenance", "model.keras"])
    provenance.main()
    printed = capsys.readouterr().out
    assert "commit        unknown: git, which knows the commits, is not installed" in printed
    assert "recipe        tiny" in printed

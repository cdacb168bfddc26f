import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools import restore


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with a commit of two weeks ago, `old`, and one of today; DVC's checkout does nothing."""
    monkeypatch.chdir(tmp_path)
    for key in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(key, "x@localhost")
    restore.git("init", "--quiet", "--initial-branch", "main")
    for name, age in (("old", 14), ("new", 0)):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{int(time.time()) - age * 86400} +0000")
        (tmp_path / "figure").write_text(name)
        restore.git("add", "figure")
        restore.git("commit", "--quiet", "--message", name)
        restore.git("tag", name)
    asked = []
    monkeypatch.setattr(restore.unicode_dvc, "run", lambda *arguments: asked.append(arguments) or 0)
    return tmp_path / "figure", asked


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["restore", *arguments])
    restore.main()


@pytest.mark.parametrize("arguments", [["old"], ["--when", "1 week ago"]])
def test_a_commit_is_checked_out_with_its_data_and_named(repository, monkeypatch, capsys, arguments):
    figure, asked = repository
    call(monkeypatch, *arguments)
    assert figure.read_text() == "old"
    assert asked == [("checkout", "--quiet")]
    assert re.fullmatch(r"[0-9a-f]{7,} of .*: old\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a commit: make restore REV=main"),
        (["--when", "3 weeks ago"], "no commit before 3 weeks ago"),
        (["elsewhere"], "invalid reference: elsewhere"),
    ],
)
def test_without_such_a_commit_nothing_changes(repository, monkeypatch, fails, arguments, message):
    figure, asked = repository
    monkeypatch.setattr(sys, "argv", ["restore", *arguments])
    assert message in fails(restore)
    assert figure.read_text() == "new"
    assert asked == []


def test_edits_that_would_be_lost_stop_it(repository, monkeypatch, fails):
    figure, asked = repository
    figure.write_text("edited")
    monkeypatch.setattr(sys, "argv", ["restore", "old"])
    assert "would be overwritten" in fails(restore)
    assert figure.read_text() == "edited"
    assert asked == []


def test_data_that_dvc_does_not_have_are_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    who = {f"GIT_{role}_{part}": "x@localhost" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    environment = {**os.environ, **who, "PYTHONPATH": str(ROOT)}

    def run(*command, check=True):
        return subprocess.run(command, check=check, capture_output=True, text=True, env=environment)

    run("git", "init", "--quiet")
    run(sys.executable, "-m", "dvc", "init", "--quiet")
    Path("model").write_text("weights")
    run(sys.executable, "-m", "dvc", "add", "--quiet", "model")
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "--message", "first")
    Path("model").unlink()
    shutil.rmtree(".dvc/cache")
    done = run(sys.executable, "-m", "tools.restore", "HEAD", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("restore: HEAD is checked out, but not all of its data and models are here")
    assert "make pull brings them" in line

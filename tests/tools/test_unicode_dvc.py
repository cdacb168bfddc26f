import os
import subprocess
import sys

import pytest
from dvc.config import Config

from tests.conftest import ROOT


def dvc(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tools.unicode_dvc", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "mein Projekt ä"
    (place / ".dvc").mkdir(parents=True)
    (place / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    return place


def test_a_configuration_may_have_any_letters(folder):
    done = dvc(folder, "config", "--local", "cache.dir", str(folder / "Schätze"))
    assert done.returncode == 0, done.stderr
    assert "Schätze" in (folder / ".dvc/config.local").read_text(encoding="utf-8")
    assert Config(dvc_dir=str(folder / ".dvc"))["cache"]["dir"].endswith("Schätze")


def test_the_status_is_that_of_dvc(folder):
    assert dvc(folder, "repro", "no-such-stage").returncode == 255


def test_what_dvc_starts_is_this_too(folder):
    # The workers of its queue start `dvc` from PATH, in folders of their own.
    code = "import os, subprocess\nfrom tools import unicode_dvc\nunicode_dvc.run('version')\n"
    code += "os.chdir('.dvc')\nsubprocess.run(['dvc', 'config', '--local', 'cache.dir', os.getcwd()], check=True)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True, capture_output=True)
    assert Config(dvc_dir=str(folder / ".dvc"))["cache"]["dir"].endswith("ä/.dvc")

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from digits.core.errors import UserError
from tests.conftest import ROOT, wait_until
from tools import repro, unicode_dvc


def test_dvc_gets_the_arguments_and_its_status_is_ours(tmp_path, monkeypatch, capsys):
    given = []
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(repro.sys, "argv", ["repro", "--pull", "train"])
    monkeypatch.setattr(repro.unicode_dvc, "run", lambda *arguments: given.append(arguments) or 255)
    with pytest.raises(SystemExit) as stop:
        repro.main()
    assert stop.value.code == 255
    assert given == [("repro", "--pull", "train")]
    assert capsys.readouterr().out.startswith("params.yaml: dataset mnist, recipe fast_cnn\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<<<<<<< HEAD\nseed: 1\n=======\nseed: 2\n>>>>>>> b\n", "params.yaml: holds a merge conflict; resolve it"),
        ("dataset: mnist\nseed: 2", "params.yaml: "),
        ("dataset: {", "params.yaml: "),
        ("", "params.yaml: "),
    ],
    ids=["conflict", "cut between lines", "cut within a line", "empty"],
)
def test_broken_parameters_are_one_line_and_dvc_does_not_start(tmp_path, monkeypatch, text, line):
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(repro.sys, "argv", ["repro"])
    monkeypatch.setattr(repro.unicode_dvc, "run", lambda *_: pytest.fail("DVC was started"))
    with pytest.raises(UserError) as caught:
        repro.main()
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


STAGE = """
import time
from pathlib import Path
from digits.core import errors
def main():
    Path("begun").touch()
    time.sleep(60)
errors.run(main)
"""


# The one shell stays between DVC and the stage, the other does not.
@pytest.mark.usefixtures("signals_heard")
@pytest.mark.parametrize(("number", "shell"), [(signal.SIGTERM, "/bin/sh"), (signal.SIGHUP, "/bin/bash")])
def test_a_second_dvc_is_refused_and_a_signal_ends_the_stage_with_a_line(tmp_path, monkeypatch, number, shell):
    monkeypatch.setenv("SHELL", shell)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(f"[core]\n    no_scm = true\n    site_cache_dir = {tmp_path}/.dvc/site\n")
    (tmp_path / "dvc.yaml").write_text("stages:\n  wait:\n    cmd: python wait.py\n    outs: [out]\n")
    (tmp_path / "wait.py").write_text(STAGE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "tools.unicode_dvc", "repro"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    wait_until((tmp_path / "begun").exists)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=rf"^another DVC is at work here \(process {process.pid}\): wait for it"):
        repro.refuse_company()
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 255
    assert said.splitlines()[0] == "wait: interrupted; run the same command again to continue"
    assert f"exited with {128 + number}" in said


def test_a_full_disk_is_named(monkeypatch, capsys):
    monkeypatch.setattr(unicode_dvc, "full_disk", lambda: ".dvc/cache")
    assert unicode_dvc.run("no-such-command")
    assert capsys.readouterr().err.splitlines()[-1].startswith(".dvc/cache: the disk is full; delete a few MB")


def test_a_disk_with_space_is_not():
    assert unicode_dvc.full_disk() is None

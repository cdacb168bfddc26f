import os
import shutil
import subprocess
import sys
import time

import pytest

from apps.demo import __main__ as program
from digits.core import errors
from tests.apps.conftest import ROOT, free_port


def test_without_a_model_one_line_tells_how_to_get_it(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "apps.demo", "--port", str(free_port())]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no trained model here; run `make repro`" in done.stderr


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_port_that_is_none_is_told(monkeypatch, capsys, port):
    monkeypatch.setattr(sys, "argv", ["demo", f"--port={port}"])
    with pytest.raises(SystemExit):
        errors.run(program.main)
    assert "a port is a number from 1 to 65535" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(demo, trained, monkeypatch):
    monkeypatch.chdir(trained)
    monkeypatch.setattr(sys, "argv", ["demo", "--port", demo.address.rpartition(":")[2]])
    with pytest.raises(SystemExit, match="Address already in use; take another --port"):
        errors.run(program.main)


def test_it_says_where_it_is_and_listens_to_this_machine_only(demo):
    until = time.monotonic() + 60
    while f"draw on {demo.address}" not in demo.log.read_text():  # it may answer before it has said so
        assert time.monotonic() < until, demo.log.read_text()
        time.sleep(0.1)
    assert "Traceback" not in demo.log.read_text()


def test_a_swapped_model_is_told_in_one_line(trained, tmp_path, monkeypatch):
    shutil.copytree(trained / "models", tmp_path / "models")
    model = tmp_path / "models" / "model.tflite"
    shutil.copy(model.with_name("model_int8.tflite"), model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["demo", "--port", str(free_port())])
    with pytest.raises(SystemExit, match=r"^demo: models/model\.tflite: damaged, or another file than was measured"):
        errors.run(program.main)

import os
import shutil
import subprocess
import sys

import httpx
import pytest

from apps.api import __main__ as program
from digits.core import errors
from tests.apps.conftest import ROOT, free_port


@pytest.fixture
def refused(monkeypatch, capsys):
    """Runs the program, which must end at once: `refused("--port", "0")` gives the status and the last line."""

    def run(*options):
        monkeypatch.setattr(sys, "argv", ["api", *options])
        with pytest.raises(SystemExit) as stop:
            errors.run(program.main)
        if isinstance(stop.value.code, str):  # printed on stderr, status 1
            assert "\n" not in stop.value.code
            return 1, stop.value.code
        return stop.value.code, capsys.readouterr().err.strip().splitlines()[-1]

    return run


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "0.5"])
def test_a_rate_below_1_is_told(refused, rate):
    status, told = refused(f"--rate={rate}")
    assert status == 1
    assert "at least 1 request a second" in told


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "²"])
def test_a_port_that_is_none_is_told(refused, port):
    status, told = refused(f"--port={port}")
    assert status == 2
    assert "a port is a number from 1 to 65535" in told


def test_a_port_that_is_taken_is_told(refused, service, trained, monkeypatch):
    monkeypatch.chdir(trained)
    status, told = refused("--port", service.address.rpartition(":")[2])
    assert status == 1
    assert "Address already in use; take another --port" in told


def test_a_host_that_is_not_this_machine_is_told(refused):
    status, told = refused("--host", "192.0.2.1", "--port", str(free_port()))
    assert status == 1
    assert "192.0.2.1" in told


def test_a_model_that_is_not_there_is_told(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, told = refused("--model", "nowhere.tflite", "--port", str(free_port()))
    assert status == 1
    assert "about.json" in told


def test_without_a_model_one_line_tells_how_to_get_it(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "apps.api", "--port", str(free_port())]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no trained model here; run `make repro`" in done.stderr


def test_it_listens_to_this_machine_only_and_says_where(service):
    assert httpx.get(service.address + "/health").status_code == 200
    assert f" on {service.address}" in service.log.read_text()
    assert "0.0.0.0" not in service.log.read_text()


def test_a_swapped_model_is_told(refused, trained, tmp_path):
    shutil.copytree(trained / "models", tmp_path / "models")
    model = tmp_path / "models" / "model.tflite"
    shutil.copy(model.with_name("model_int8.tflite"), model)
    status, told = refused("--model", str(model), "--port", str(free_port()))
    assert status == 1
    assert told.startswith(f"api: {model}: damaged, or another file than was measured")

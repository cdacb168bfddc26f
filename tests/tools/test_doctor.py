import ast
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.conftest import ROOT
from tools import doctor

SOURCE = (ROOT / "tools/doctor.py").read_text()


def test_it_runs_on_python_3_9_with_nothing_installed():
    tree = ast.parse(SOURCE, feature_version=(3, 9))
    assert isinstance(tree.body[1], ast.ImportFrom), "so that `str | None` is read by nobody"
    assert tree.body[1].module == "__future__"
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in modules} <= sys.stdlib_module_names


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """An empty folder on a machine that has no command and no network."""
    for name in ("MNIST_DIR", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    monkeypatch.setattr(doctor, "PYTHONS", ("python3",))
    monkeypatch.setattr(doctor, "command_of", lambda *names: None)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=10**9))

    def refused(*args, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(doctor.urllib.request, "urlopen", refused)
    return tmp_path


def test_on_a_bare_machine_each_line_says_what_to_do(bare, capsys):
    with pytest.raises(SystemExit) as stop:
        doctor.main()
    assert stop.value.code == "doctor: the first run needs what is marked: Python, git, make, disk"
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(doctor.CHECKS)
    found = {line[9:23].strip(): (line[:8].strip(), line[24:]) for line in lines}
    assert found["Python"][0] == "needed"
    assert "Debian: python3 python3-venv" in found["Python"][1]
    assert found["disk"] == ("needed", "1.0 GB free: make 3 GB free")
    assert found["MNIST"][0] == "missing"
    assert "make repro needs MNIST_DIR" in found["MNIST"][1]
    for name in ("Chromium", "Graphviz", "sshd"):
        assert found[name][0] == "missing"
        assert "Debian: " in found[name][1]
    assert found["storage"][1].startswith("make push and pull have none: dvc remote add")


def test_on_this_machine_the_first_run_has_what_it_needs():
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # not within make test
    done = subprocess.run(["make", "doctor"], cwd=ROOT, env=outside, check=False, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert all(re.match(r"(ok|needed|missing) +\S", line) for line in lines[: len(doctor.CHECKS)])
    needed = {line.split()[1] for line in lines if line.startswith("needed ")}
    assert needed <= {"git", "disk", "packages"}, "not told by what the tests need: a commit, room, a network"


def test_the_address_of_index_and_storage_is_not_printed(bare, monkeypatch):
    (bare / ".dvc").mkdir()
    (bare / ".dvc/config.local").write_text(
        "[core]\n    remote = mine\n['remote \"mine\"']\n    url = s3://k:secret@host/x\n"
    )
    assert doctor.storage() == doctor.Finding("storage", True, "DVC's remote mine")

    def pip(*command):
        if "download" in command:
            return None
        return "global.extra-index-url='https://b:secret@other/simple'\n:env:.index-url='https://a:secret@host:8080/simple'"

    monkeypatch.setattr(doctor, "output", pip)
    found = doctor.index()
    assert not found.there
    assert found.needed
    assert found.text == "host does not answer: check the network, or name your index in PIP_INDEX_URL"


def test_mnist_is_asked_for_in_its_folder(bare, monkeypatch):
    monkeypatch.setenv("MNIST_DIR", str(bare))
    assert doctor.mnist().text.startswith("MNIST_DIR has no train-images-idx3-ubyte.gz, train-labels")
    for name in doctor.MNIST:
        (bare / name).touch()
    assert doctor.mnist().there


def test_an_environment_with_a_newer_lock_file_or_without_its_python_is_told(bare, monkeypatch):
    assert "the first make target installs it" in doctor.environment().text
    (bare / ".venv").mkdir()
    assert "does not work" in doctor.environment().text
    monkeypatch.setattr(doctor, "environment_python", lambda: "python")
    for name in (".venv/.ready", ".venv/.ready-apps", "requirements.lock", "requirements-apps.lock"):
        (bare / name).touch()
        os.utime(bare / name, (100, 100))
    assert doctor.environment() == doctor.Finding(".venv", True, "pipeline, apps")
    os.utime(bare / "requirements-apps.lock", (200, 200))
    assert not doctor.environment().there


@pytest.mark.parametrize(
    ("flags", "there", "needed"), [("avx avx2", True, False), ("avx", False, False), ("sse4_2", False, True)]
)
def test_the_processor_must_have_avx_and_should_have_avx2(monkeypatch, tmp_path, flags, there, needed):
    monkeypatch.setattr(doctor.platform, "machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text(f"flags : fpu {flags}\n")
    monkeypatch.setattr(doctor, "CPUINFO", tmp_path / "cpuinfo")
    found = doctor.processor()
    assert (found.there, found.needed) == (there, needed)

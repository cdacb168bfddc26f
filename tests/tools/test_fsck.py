"""Damage in a small DVC project: found, and mended by the command that the line names."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc import cli
from dvc.repo import Repo

from tests.conftest import ROOT
from tools import fsck, mend

pytestmark = pytest.mark.filterwarnings("ignore")  # DVC's own

PIPELINE = """
stages:
  make:
    cmd: mkdir -p data && echo 1 > data/one && echo 2 > data/two && echo m > model
    deps: [source]
    outs: [data, model]
"""


def configure(folder):
    (folder / ".dvc/config").write_text(f"[core]\n    no_scm = true\n    site_cache_dir = {folder}/.dvc/site\n")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project in which DVC has run the pipeline, to be copied."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / ".dvc").mkdir()
    configure(folder)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "source").write_text("s\n")
    with contextlib.chdir(folder), Repo() as repo:
        repo.reproduce()
    shutil.rmtree(folder / ".dvc/site")
    return folder


@pytest.fixture
def folder(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_TEST", "true")  # reports nothing to its makers
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    configure(tmp_path)
    return tmp_path


def found(capsys):
    """The lines of the command, which is 1 with any."""
    with contextlib.suppress(SystemExit):
        fsck.main()
        assert capsys.readouterr().out.startswith("no damage: ")
        return []
    return capsys.readouterr().out.splitlines()


def flip(path):
    """Changes a bit as a failing disk does: size, time and permissions stay."""
    state = path.stat()
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(state.st_mode)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def obey(line):
    """Runs the command that a line names, DVC's part in this process, and then the pipeline."""
    for command in re.search("`(rm [^`]+)`", line)[1].split("; "):
        if command.startswith("dvc "):
            assert cli.main([*shlex.split(command)[1:], "--quiet"]) == 0
        else:
            subprocess.run(command, shell=True, check=True)
    with Repo() as repo:
        repo.reproduce()


def objects(content):
    return [path for path in Path(".dvc/cache/files/md5").glob("??/*") if path.read_text() == content]


def test_without_damage_there_is_one_line_and_status_0(folder, capsys):
    assert found(capsys) == []


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda: flip(Path("model")), "model: not what dvc.lock says"),
        (lambda: flip(Path("data/two")), "data/two: not what dvc.lock says"),
        (lambda: Path("data/two").write_text(""), "data/two: not what dvc.lock says"),
        (lambda: Path("data/one").unlink(), "data/one: missing"),
        (lambda: Path("data/more").touch(), "data/more: not in dvc.lock"),
        (lambda: Path("model").unlink(), "model: missing"),
        (lambda: flip(objects("m\n")[0]), ": damaged; model is whole: "),
        (lambda: flip(objects("2\n")[0]), ": damaged; data/two is whole: "),
    ],
    ids=[
        "flipped",
        "flipped in a folder",
        "cut",
        "missing in a folder",
        "too many",
        "missing",
        "cache",
        "cache, folder",
    ],
)
def test_damage_is_one_line_and_its_command_mends_it(folder, capsys, damage, expected):
    damage()
    (line,) = found(capsys)
    assert expected in line
    obey(line)
    assert found(capsys) == []


def test_swapped_files_are_both_named(folder, capsys):
    Path("data/one").rename("data/three")
    Path("data/two").rename("data/one")
    Path("data/three").rename("data/two")
    lines = found(capsys)
    assert [line.split(": ")[0] for line in lines] == ["data/one", "data/two"]
    for line in lines:
        obey(line)
    assert found(capsys) == []


def test_damaged_here_and_in_the_cache_is_made_anew(folder, capsys):
    flip(Path("model"))
    flip(objects("m\n")[0] if objects("m\n") else objects("l\n")[0])
    lines = found(capsys)
    assert len(lines) == 2
    assert all("`make repro`, which makes it anew" in line for line in lines)
    for line in lines:
        subprocess.run(re.search("`(rm [^`]+)`", line)[1], shell=True, check=True)
    obey(lines[0])
    assert found(capsys) == []


def test_a_damaged_list_of_a_folder(folder, capsys):
    (listing,) = Path(".dvc/cache/files/md5").glob("??/*.dir")
    flip(listing)
    (line,) = found(capsys)
    assert str(listing) in line
    obey(line)
    assert found(capsys) == []


def test_a_damaged_note_of_a_run(folder, capsys):
    (note,) = Path(".dvc/cache/runs").glob("*/*/*")
    for content in (note.read_text().replace("md5: ", "md5: 0", 1), "{", ""):
        note.write_text(content)
        (line,) = found(capsys)
        assert line.startswith(f"{note}: damaged; ")
    obey(line)
    assert found(capsys) == []


def test_a_broken_lock_is_named(folder, capsys):
    Path("dvc.lock").write_text("")
    (line,) = found(capsys)
    assert line.startswith("dvc.lock: DVC cannot read it; `python -m tools.mend`")
    mend.main()
    assert found(capsys) == []


def test_what_nothing_needs_may_go(folder, capsys):
    flip(objects("m\n")[0])
    Path("dvc.yaml").write_text(PIPELINE.replace("echo m", "echo n"))
    with Repo() as repo:
        repo.reproduce()
    with pytest.raises(SystemExit) as stop:
        fsck.main()
    assert stop.value.code == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("nothing that is checked out needs it")


def test_a_name_with_a_space_is_quoted(folder, capsys):
    flip(Path("model"))
    project = fsck.Project(Path("runs/compare a"), "dvc.lock", whole=False)
    assert project.enter == "cd 'runs/compare a' && "


def test_the_projects_of_comparisons_are_looked_at(finished, folder, capsys):
    inner = folder / "runs/compare-digits"
    shutil.copytree(finished, inner)
    (inner / ".dvc/config").write_text((folder / ".dvc/config").read_text())
    assert found(capsys) == []
    flip(inner / "model")
    (line,) = found(capsys)
    assert line.startswith("runs/compare-digits/model: not what dvc.lock says; ")
    assert "cd runs/compare-digits && dvc checkout model" in line
    (inner / "data/one").unlink()
    (inner / "model").unlink()
    assert [line.split(":")[0] for line in found(capsys)] == ["runs/compare-digits/data/one"]


def test_outside_of_a_project_it_is_one_line(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tools.fsck"],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1

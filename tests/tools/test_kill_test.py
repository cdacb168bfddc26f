import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from digits.core.errors import UserError
from tests.conftest import ROOT, wait_until
from tests.test_pipeline import make_clone
from tools import kill_test


@pytest.fixture
def trial(tmp_path):
    folders = [tmp_path / "killed", tmp_path / "undisturbed"]
    for folder in folders:
        (folder / "models").mkdir(parents=True)
        for name in ("LICENSE", "dvc.lock", "models/a", "models/b"):
            (folder / name).write_text(f"{name}\n")
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return kill_test.Trial("repro", *folders)


def test_the_same_bytes_are_counted(trial):
    assert kill_test.compare(trial) == 3


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.write_text("x"), Path.unlink, lambda path: path.with_name("aa").touch()],
    ids=["other bytes", "missing", "too many"],
)
def test_the_first_file_that_differs_is_named(trial, damage):
    damage(trial.folder / "models/a")
    (trial.folder / "models/b").unlink()
    with pytest.raises(UserError, match=r"^models/a+ differs after 0 kills: compare "):
        kill_test.compare(trial)


def test_a_lost_edit_is_named(trial):
    (trial.folder / "LICENSE").write_text("gone\n")
    with pytest.raises(UserError, match=r"^git's state differs after 0 kills"):
        kill_test.compare(trial)


def test_a_command_that_fails_by_itself_is_named_with_its_line(trial):
    kill_test.log(trial).write_text("ERROR: what happened\nmake: *** Error 255\n")
    trial.kills.append("repro: dvc after 1.0 s")
    with pytest.raises(UserError) as caught:
        kill_test.check(trial, 2)
    assert "make repro failed with status 2 after 1 kills (the last: repro: dvc after 1.0 s): ERROR: what" in str(
        caught.value
    )


STAND_IN = ["sh", "-c", "python -m stages.wait & python -m tools.wait & wait"]


@pytest.fixture
def started(trial, monkeypatch):
    """A command with a process that looks like DVC, and one that looks like a stage."""
    for room in ("stages", "tools"):
        (trial.folder / room).mkdir()
        (trial.folder / room / "wait.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setitem(kill_test.COMMANDS, "repro", STAND_IN)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    process = kill_test.start(trial)

    def both_run():
        children = psutil.Process(process.pid).children()
        return len(children) == 2 and all(kill_test.named(child.cmdline()) for child in children)

    wait_until(both_run)
    yield process
    for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
        child.kill()
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("victim", "hit"), [("dvc", "dvc"), ("stage", "stages.wait"), ("both", "dvc and stages.wait"), ("all", "all")]
)
def test_the_victim_is_hit(started, victim, hit):
    assert kill_test.strike(started, victim) == hit


def test_the_project_has_small_settings_and_an_edit(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    kill_test.make_project(tmp_path / "project")
    assert "recipe: tiny" in (tmp_path / "project/params.yaml").read_text()
    assert kill_test.git_state(tmp_path / "project")[1:] == [" M LICENSE", kill_test.EDIT.strip()]


def test_a_command_that_does_not_end_is_ended_and_told(trial, monkeypatch):
    monkeypatch.setattr(kill_test, "WITHIN", 0.1)
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    monkeypatch.setattr(kill_test, "start", lambda trial: process)
    with pytest.raises(UserError, match=r"took longer than 0\.1 s"):
        kill_test.finish(trial)
    assert process.poll() is not None


@pytest.mark.pipeline
@pytest.mark.parametrize("command", kill_test.COMMANDS)
def test_a_few_kills(tmp_path, command):
    project = make_clone(tmp_path, embedded=False)
    done = subprocess.run(
        [sys.executable, "-m", "tools.kill_test", "--kills", "4", "--seed", "3", "--of", command],
        cwd=project,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("4 kills, ")

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from digits.core.errors import UserError
from tests.conftest import wait_until
from tools import comparison, mend

LOCK = "schema: '2.0'\nstages:\n  train:\n    cmd: python -m stages.train\n"
OTHER = LOCK.replace("train:", "other:")


def git(*arguments):
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def repository(folder):
    (folder / "dvc.lock").write_text(LOCK)
    (folder / "params.yaml").write_text("seed: 1\n")
    (folder / ".gitignore").write_text("/.dvc\n")
    git("init", "--quiet", "--initial-branch", "main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "m")
    return folder


def test_the_locks_of_the_pipeline_and_of_the_comparison_are_mended():
    assert mend.LOCKS == ("dvc.lock", comparison.LOCK)
    assert comparison.PIPELINE in mend.WRITTEN_BY_HAND


@pytest.mark.parametrize("name", mend.LOCKS)
@pytest.mark.parametrize(
    ("content", "what"), [(b"", "empty"), (LOCK[:40].encode(), "cut short or damaged"), (b"\x00\xff\x80", "damaged")]
)
def test_a_broken_lock_comes_back_from_the_copy_with_one_line(folder, capsys, name, content, what):
    path = Path(name)
    mend.write(path, LOCK.encode())
    mend.main()
    assert capsys.readouterr().err == ""
    path.write_bytes(content)
    mend.main()
    assert path.read_text() == LOCK
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{name}: ")
    assert what in line
    assert "brought back from the copy of the last run" in line
    if content:
        assert (mend.KEPT / f"{path.name}.broken").read_bytes() == content, "nothing is lost"


def test_without_a_copy_it_comes_from_git(repository, capsys):
    Path("dvc.lock").write_text("")
    mend.main()
    assert Path("dvc.lock").read_text() == LOCK
    assert capsys.readouterr().err == "dvc.lock: empty; brought back from git\n"


def test_without_either_it_is_removed(folder, capsys):
    Path("dvc.lock").write_text("")
    mend.main()
    assert not Path("dvc.lock").exists()
    assert "removed: stages whose outputs are in DVC's cache run no more" in capsys.readouterr().err


def test_the_copy_follows_the_lock_and_a_missing_lock_stays_missing(folder):
    for text in (LOCK, OTHER):
        Path("dvc.lock").write_text(text)
        mend.main()
        assert (mend.KEPT / "dvc.lock").read_text() == text
    Path("dvc.lock").unlink()
    mend.main()
    assert not Path("dvc.lock").exists()


@pytest.mark.parametrize("name", [*mend.LOCKS, *mend.WRITTEN_BY_HAND])
def test_a_merge_conflict_is_refused_and_left_as_it_is(folder, name):
    path = Path(name)
    text = f"<<<<<<< HEAD\n{LOCK}=======\n{OTHER}>>>>>>> theirs\n"
    mend.write(path, text.encode())
    with pytest.raises(UserError) as caught:
        mend.main()
    assert str(caught.value).startswith(f"{name}: holds a merge conflict; resolve")
    assert ("`make merge-lock`" in str(caught.value)) == (name in mend.LOCKS)
    assert path.read_text() == text


def interrupt(monkeypatch, steps):
    """Leaves the note of an experiment whose process is dead, after some steps of DVC's."""
    with mend.keeping_git():
        note, edits = mend.BEFORE.read_text(), mend.text_of("rev-parse", mend.EDITS)
        steps()
    content = json.loads(note)
    process = subprocess.Popen(["true"])
    process.wait()
    mend.BEFORE.write_text(json.dumps({**content, "pid": process.pid}))
    if content["edits"]:
        git("update-ref", mend.EDITS, edits)


def stash():
    git("stash", "push", "--quiet")


def leave_branch():
    git("checkout", "--quiet", "--detach")


def set_parameter():
    Path("params.yaml").write_text("seed: 99\n")


@pytest.mark.parametrize(
    "steps",
    [[stash], [stash, leave_branch], [stash, leave_branch, set_parameter]],
    ids=["stash", "branch", "parameter"],
)
def test_edits_and_branch_come_back_after_a_killed_experiment(repository, monkeypatch, capsys, steps):
    Path("params.yaml").write_text("seed: 2\n")
    interrupt(monkeypatch, lambda: [step() for step in steps])
    mend.main()
    assert Path("params.yaml").read_text() == "seed: 2\n"
    assert git("branch", "--show-current") == "main"
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("git: your edits are back")
    assert not mend.BEFORE.exists()
    assert len(git("stash", "list").splitlines()) == steps.count(set_parameter)
    assert git("diff", "--cached") == ""


def test_without_edits_the_branch_comes_back(repository, monkeypatch):
    interrupt(monkeypatch, lambda: (leave_branch(), set_parameter()))
    mend.main()
    assert git("branch", "--show-current") == "main"
    assert Path("params.yaml").read_text() == "seed: 1\n"


def state():
    return subprocess.run(["git", "status", "--porcelain"], check=True, capture_output=True, text=True).stdout


def test_edits_that_dvc_put_into_the_index_are_unstaged_again(repository, monkeypatch):
    Path("params.yaml").write_text("seed: 2\n")
    interrupt(monkeypatch, lambda: git("add", "--all"))
    mend.main()
    assert (
        subprocess.run(["git", "status", "--porcelain"], check=True, capture_output=True).stdout == b" M params.yaml\n"
    )


def test_what_was_staged_before_is_staged_again(repository, monkeypatch):
    Path("params.yaml").write_text("seed: 2\n")
    git("add", "--all")
    interrupt(monkeypatch, stash)
    mend.main()
    assert (
        subprocess.run(["git", "status", "--porcelain"], check=True, capture_output=True).stdout == b"M  params.yaml\n"
    )


def test_copies_of_killed_experiments_are_removed(folder, capsys):
    mend.write(mend.COPIES / "tmp1/params.yaml", b"seed: 1\n")
    mend.write(mend.COPIES / "tmp2/params.yaml", b"seed: 1\n")
    mend.main()
    assert list(mend.COPIES.iterdir()) == []
    assert "2 of interrupted experiments removed" in capsys.readouterr().err


def test_without_permission_to_write_it_is_one_line(folder, monkeypatch):
    mend.write(mend.KEPT / "dvc.lock", LOCK.encode())
    monkeypatch.setattr(mend.os, "access", lambda path, mode: Path(path) != mend.KEPT.parent)  # root may write anywhere
    with pytest.raises(UserError, match=r"^\.dvc/tmp: DVC may not write there; work in a clone of your own, or ask "):
        mend.main()


def test_what_was_edited_after_the_kill_is_not_touched(repository, monkeypatch, capsys):
    interrupt(monkeypatch, lambda: None)
    Path("params.yaml").write_text("seed: 3\n")
    mend.main()
    assert Path("params.yaml").read_text() == "seed: 3\n"
    assert git("stash", "list") == ""
    assert capsys.readouterr().err == ""


def test_a_lock_file_of_git_is_removed_after_a_killed_experiment_only(repository, monkeypatch, capsys):
    lock = Path(".git/index.lock")
    lock.touch()
    mend.main()
    assert lock.exists(), "maybe git is at work"
    lock.unlink()
    interrupt(monkeypatch, lock.touch)
    mend.main()
    assert not lock.exists()
    assert capsys.readouterr().err == ".git/index.lock: left by an interrupted experiment; removed\n"


def test_the_note_of_a_living_experiment_stays(repository):
    with mend.keeping_git():
        note = json.loads(mend.BEFORE.read_text())
        mend.BEFORE.write_text(json.dumps({**note, "pid": os.getppid()}))
        mend.main()
        assert mend.BEFORE.exists()


def test_a_number_that_another_process_has_by_now_is_no_experiment(repository):
    with mend.keeping_git():
        note = json.loads(mend.BEFORE.read_text())
        with subprocess.Popen(["sleep", "60"]) as other:
            mend.BEFORE.write_text(json.dumps({**note, "pid": other.pid}))
            os.utime(mend.BEFORE, (0, 0))
            mend.main()
            other.kill()
        assert not mend.BEFORE.exists()


def test_without_git_there_is_nothing_to_keep(folder, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with mend.keeping_git():
        pass
    mend.main()


@pytest.mark.parametrize(("limit", "low"), [(resource.RLIMIT_AS, 2**31), (resource.RLIMIT_NOFILE, 20)])
def test_too_low_a_limit_is_one_line_before_anything_starts(monkeypatch, limit, low):
    real = resource.getrlimit
    monkeypatch.setattr(mend.resource, "getrlimit", lambda number: (low, low) if number == limit else real(number))
    with pytest.raises(UserError, match=rf"^the limit on .* is {low:,}, and the stages need "):
        mend.main()


STAGE = "import time; from pathlib import Path; Path('begun').touch(); time.sleep(60)"


def stage_of(parent_command):
    """Starts a stage below a process; returns both once it is at work."""
    environment = {**os.environ, "PYTHON": f"env DVC_STAGE=train {sys.executable}", "STAGE": STAGE}
    parent = subprocess.Popen(["sh", "-c", parent_command], env=environment)
    wait_until(Path("begun").exists)
    return parent


def test_a_stage_whose_dvc_was_killed_is_ended(folder, capsys):
    stage_of('$PYTHON -c "$STAGE" &').wait()  # whoever started it is gone
    mend.main()
    assert capsys.readouterr().err.startswith("train: was still at work for a DVC that was killed; ended")
    mend.main()
    assert capsys.readouterr().err == ""


def test_a_stage_whose_dvc_lives_goes_on(folder, capsys):
    # A script whose name is that of DVC stands for it.
    Path("dvc").write_text('$PYTHON -c "$STAGE"\n')
    parent = stage_of("sh ./dvc; true")
    mend.main()
    assert capsys.readouterr().err == ""
    assert parent.poll() is None
    for process in [*psutil.Process(parent.pid).children(recursive=True), parent]:
        process.kill()
    parent.wait()

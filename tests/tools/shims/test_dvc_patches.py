"""DVC in a process that has the patches, against DVC in one that has not."""

import errno
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import dvc_objects.fs.local
import psutil
import pytest

from tests.conftest import ROOT, wait_until
from tools import configure_dvc, unicode_dvc

patches = sys.modules[unicode_dvc.PATCHES]


def test_what_dvc_opens_for_writing_takes_its_place_when_it_is_complete(tmp_path):
    place = tmp_path / "dvc.lock"
    place.write_text("old")
    with dvc_objects.fs.local.localfs.open(str(place), "w", encoding="utf-8") as file:
        file.write("new")
        file.flush()
        assert place.read_text() == "old"
    assert place.read_text() == "new"
    assert list(tmp_path.iterdir()) == [place]


def test_after_an_exception_the_old_file_is_there(tmp_path):
    place = tmp_path / "dvc.lock"
    place.write_text("old")
    with pytest.raises(TypeError), patches.open_whole(place, "w") as file:
        file.write(b"no text")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("dvc.lock", "old")]


def test_on_a_full_disk_the_old_file_is_there(tmp_path):
    place = tmp_path / "dvc.lock"
    place.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)), patches.open_whole(place, "w") as file:
            file.write("n" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("dvc.lock", "old")]


def test_link_and_permissions_stay(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere/config", tmp_path / "config"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    with patches.open_whole(link, "wb") as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_that_the_umask_gives(tmp_path):
    before = os.umask(0o077)
    try:
        patches.open_whole(tmp_path / "new", "w").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_what_cannot_be_replaced_is_opened_as_ever(tmp_path):
    with patches.open_whole("/dev/null", "w") as file:
        file.write("anything")
    assert not Path("/dev/null").is_file()
    with pytest.raises(FileNotFoundError):
        patches.open_whole(tmp_path / "missing/file", "w")
    with pytest.raises(IsADirectoryError):
        patches.open_whole(tmp_path, "w")
    (tmp_path / "read").write_text("text")
    with patches.open_whole(tmp_path / "read") as file:
        assert file.read() == "text"


def test_a_leftover_of_a_killed_process_is_replaced(tmp_path):
    (tmp_path / "partial-dvc.lock").write_text("half")
    with patches.open_whole(tmp_path / "dvc.lock", "w") as file:
        file.write("new")
    assert [path.name for path in tmp_path.iterdir()] == ["dvc.lock"]


PIPELINE = """
stages:
  first:
    cmd: echo 1 > a
    outs: [a]
  second:
    cmd: cp a b
    deps: [a]
    outs: [b]
"""


def configure(folder):
    (folder / ".dvc").mkdir(exist_ok=True)
    (folder / ".dvc/config").write_text(f"[core]\n    no_scm = true\n    site_cache_dir = {folder}/.dvc/site\n")
    (folder / "dvc.yaml").write_text(PIPELINE)


@pytest.fixture
def project(tmp_path):
    """A DVC project without git, of two stages that take no time."""
    configure(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def after_first(tmp_path_factory):
    """Such a project after its first stage, to be copied."""
    folder = tmp_path_factory.mktemp("first")
    configure(folder)
    assert dvc(folder, "repro", "first").returncode == 0
    shutil.rmtree(folder / ".dvc/site")
    return folder


@pytest.fixture
def begun(after_first, tmp_path):
    """A project after its first stage."""
    shutil.copytree(after_first, tmp_path, dirs_exist_ok=True)
    configure(tmp_path)
    return tmp_path


PATCHED = f"import sys; sys.path.append({str(unicode_dvc.SHIMS)!r}); import dvc_patches\n"


def dvc(folder, *arguments, code=PATCHED):
    # Without `site`, which would import the patches where they are installed.
    program = f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n{code}"
    program += f"from dvc.cli import main\nsys.exit(main({list(arguments)!r}))"
    command = [sys.executable, "-S", "-c", program]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


# Kills its own process when it writes a file, after the first byte has reached the disk.
KILLS = """
import os, signal, builtins
real = builtins.open
def dies(path, mode="r", *rest, **options):
    file = real(path, mode, *rest, **options)
    if "w" in mode and str(path).endswith({name!r}):
        file.write("s"), file.flush(), os.kill(os.getpid(), signal.SIGKILL)
    return file
builtins.open = dies
"""


@pytest.mark.parametrize("name", ["rwlock", "dvc.lock"])
def test_killed_while_it_writes_dvc_goes_on_with_the_next_command(begun, name):
    before = (begun / "dvc.lock").read_text()
    assert dvc(begun, "repro", code=PATCHED + KILLS.format(name=name)).returncode == -signal.SIGKILL
    assert (begun / "dvc.lock").read_text() == before
    done = dvc(begun, "repro")
    assert done.returncode == 0, done.stderr
    assert (begun / "b").read_text() == "1\n"


@pytest.mark.parametrize("name", ["rwlock", "dvc.lock"])
def test_without_the_patches_it_does_not(begun, name):
    # What the patches are for: when DVC itself writes so, they can go.
    assert dvc(begun, "repro", code=KILLS.format(name=name)).returncode == -signal.SIGKILL
    assert dvc(begun, "repro", code="").returncode == 255


def test_an_empty_folder_of_the_run_cache_holds_no_run(project):
    assert dvc(project, "repro").returncode == 0
    (note,) = project.glob(".dvc/cache/runs/*/*/*")
    note.unlink()
    (project / "dvc.lock").unlink()
    assert "not 'NoneType'" in dvc(project, "repro", code="").stderr
    assert dvc(project, "repro").returncode == 0
    assert note.exists()


def test_an_empty_rwlock_is_removed_with_one_line(project):
    (project / ".dvc/tmp").mkdir()
    (project / ".dvc/tmp/rwlock").touch()
    done = dvc(project, "repro")
    assert done.returncode == 0
    assert done.stderr == ".dvc/tmp/rwlock: an interruption broke it; removed\n"
    assert json.loads((project / ".dvc/tmp/rwlock").read_text()) is not None


def test_an_empty_rwlock_stays_while_another_dvc_is_at_work_here(project):
    (project / "dvc.yaml").write_text(PIPELINE.replace("echo 1 > a", "touch begun; sleep 60"))
    other = subprocess.Popen([sys.executable, "-m", "dvc", "repro", "first"], cwd=project, stdout=subprocess.DEVNULL)
    try:
        wait_until((project / "begun").exists)
        (project / ".dvc/tmp/rwlock").write_text("")
        done = dvc(project, "repro", "second")
        assert done.returncode == 255
        assert "Unable to read RWLock-file" in done.stderr
    finally:
        for process in [*psutil.Process(other.pid).children(recursive=True), other]:
            process.kill()
        other.wait()
    assert dvc(project, "status").returncode == 0


def hold(project, pid):
    """Writes an rwlock in which a process holds an output, an hour ago."""
    rwlock = project / ".dvc/tmp/rwlock"
    rwlock.parent.mkdir(exist_ok=True)
    holder = {"pid": pid, "cmd": "dvc repro"}
    rwlock.write_text(json.dumps({"write": {str(project / "a"): holder}, "read": {str(project / "b"): [holder]}}))
    os.utime(rwlock, (time.time() - 3600,) * 2)


def test_a_process_that_has_the_number_of_a_killed_one_holds_nothing(project):
    other = subprocess.Popen(["sleep", "60"])
    try:
        hold(project, other.pid)
        assert dvc(project, "repro", code="").returncode == 255, "DVC itself waits for it"
        assert dvc(project, "repro").returncode == 0
    finally:
        other.kill()
        other.wait()


def test_a_process_that_ended_and_is_not_yet_gone_holds_nothing(project):
    zombie = subprocess.Popen(["true"])
    while psutil.Process(zombie.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    hold(project, zombie.pid)
    assert dvc(project, "repro").returncode == 0
    zombie.wait()


def test_a_dvc_that_is_at_work_holds_what_it_holds(project):
    hold(project, os.getpid())
    os.utime(project / ".dvc/tmp/rwlock")
    done = dvc(project, "repro")
    assert done.returncode == 255
    assert "is busy, it is being blocked by" in done.stderr


def test_each_process_that_holds_something_is_looked_at_once(monkeypatch):
    asked = []
    monkeypatch.setattr(unicode_dvc.patches, "ended", lambda pid, written: asked.append(pid) or pid == 1)
    dead, alive, own = ({"pid": pid} for pid in (1, 2, os.getpid()))
    lock = {"write": {"a": dead, "b": alive}, "read": {"c": [dead, alive], "d": [dead], "e": [own]}}
    unicode_dvc.patches.release_dead(lock, 0)
    assert lock == {"write": {"b": alive}, "read": {"c": [alive], "e": [own]}}
    assert sorted(asked) == [1, 2]


def test_the_copy_in_an_environment_patches_plain_dvc(project, tmp_path):
    packages = tmp_path / "packages"
    packages.mkdir()
    configure_dvc.patch_dvc(packages)
    assert sorted(path.name for path in packages.iterdir()) == ["dvc_patches.pth", "dvc_patches.py"]
    started = f"import site; site.addsitedir({str(packages)!r})\n"  # as each start of Python does for an environment
    assert dvc(project, "repro", code=started + KILLS.format(name="rwlock")).returncode == -signal.SIGKILL
    assert dvc(project, "repro", code=started).returncode == 0


def test_it_costs_a_start_of_python_no_import_of_dvc():
    code = PATCHED + "print([name for name in sys.modules if name.startswith(('dvc.', 'configobj', 'scmrepo'))])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_value_set_for_an_experiment_changes_its_line_alone(tmp_path):
    before = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(before)
    edit = (
        "from dvc.utils.hydra import apply_overrides; apply_overrides('params.yaml', ['recipes.fast_cnn.epochs=123'])"
    )
    program = f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n{PATCHED}{edit}"
    subprocess.run([sys.executable, "-S", "-c", program], cwd=tmp_path, check=True)
    lines = zip(before.splitlines(), (tmp_path / "params.yaml").read_text().splitlines(), strict=True)
    assert [new for old, new in lines if old != new] == ["    epochs: 123"]


def test_a_lock_is_written_as_by_dvc_alone(project):
    (project / "dvc.yaml").write_text("stages:\n  only:\n    cmd: echo\n    params: [a]\n")
    edit = "from dvc.utils.hydra import apply_overrides; apply_overrides('params.yaml', ['a.c=[1,3]'])\n"
    written = []
    for code in ("", PATCHED):
        (project / "dvc.lock").unlink(missing_ok=True)
        (project / "params.yaml").write_text("a: {b: null, c: [1, 2]}\n")
        done = dvc(project, "repro", code=code + edit)  # the parameters are changed in the same process
        assert done.returncode == 0, done.stderr
        written.append((project / "dvc.lock").read_text())
    assert written[0] == written[1]

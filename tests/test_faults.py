"""What can go wrong around the pipeline, as docs/faults.md has it; kills are in tests/tools/test_kill_test.py."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, edit_params
from tests.test_pipeline import STAGES, commit, make_clone, ran, run

SMALL = """
stages:
  first:
    cmd: head -c 3000000 /dev/zero > a
    outs: [a]
  second:
    cmd: wc -c < a > b
    deps: [a]
    outs: [b]
"""


def make_small(folder):
    """A DVC project without git whose output takes 3 MB, as a stand-in for the pipeline."""
    (folder / ".dvc/tmp").mkdir(parents=True)
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    (folder / "dvc.yaml").write_text(SMALL)
    return folder


def tool(folder, name, *arguments, wrapped=()):
    """Runs a tool of this project in a folder; returns status and what it said on both channels."""
    command = [*wrapped, sys.executable, "-m", f"tools.{name}", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.returncode, done.stdout


@pytest.fixture
def small_disk(tmp_path):
    """What runs a command in a folder that is a file system of 2 MB; skips where the system permits none."""
    script = (
        'mount -t tmpfs -o size=2m tmpfs "$0" && cp -r "$1"/. "$0" && cd "$0" && '
        'printf "    site_cache_dir = %s\\n" "$0/.dvc/site" >> .dvc/config && shift && "$@"'
    )
    place, project = tmp_path / "disk", make_small(tmp_path / "project")
    place.mkdir()
    wrapped = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(place), str(project))
    if not shutil.which("unshare") or subprocess.run([*wrapped, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a file system of his own")
    return wrapped


def test_a_disk_that_becomes_full_is_named_in_the_last_line(small_disk, tmp_path):
    status, said = tool(tmp_path, "unicode_dvc", "repro", wrapped=small_disk)
    assert status == 255
    assert said.splitlines()[-1].startswith(".: the disk is full; delete a few MB by hand")


def test_a_disk_that_is_full_is_one_line_before_anything_starts(small_disk, tmp_path):
    fill = ("sh", "-c", 'cat /dev/zero > fill 2>/dev/null; exec "$@"', "sh")
    status, said = tool(tmp_path, "mend", wrapped=(*small_disk, *fill))
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith("mend: .: the disk is full; delete a few MB by hand")


@pytest.fixture(scope="session")
def as_others():
    """What runs a command for which permissions count, also where root runs the tests."""
    if os.geteuid():
        return ()
    drop = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
    if not shutil.which("setpriv"):
        pytest.skip("root may read and write everything, and there is no setpriv")
    return drop


@pytest.mark.parametrize("place", [".dvc", ".dvc/tmp"])
def test_a_folder_that_must_not_be_written_is_one_line(as_others, tmp_path, place):
    project = make_small(tmp_path / "project")
    (project / place).chmod(0o555)
    status, said = tool(project, "mend", wrapped=as_others)
    (project / place).chmod(0o755)
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith(f"mend: {place}: DVC may not write there; work in a clone of your own, or ask ")


def test_parameters_that_must_not_be_read_are_one_line(as_others, tmp_path):
    project = make_small(tmp_path / "project")
    shutil.copy(ROOT / "params.yaml", project)
    (project / "params.yaml").chmod(0)
    status, said = tool(project, "repro", wrapped=as_others)
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith("repro: params.yaml: Permission denied; give yourself permission there")


@pytest.mark.parametrize(("option", "limit"), [("--as", 2_000_000_000), ("--nofile", 20)])
def test_a_limit_that_is_too_low_is_one_line(tmp_path, option, limit):
    if not shutil.which("prlimit"):
        pytest.skip("there is no prlimit")
    status, said = tool(make_small(tmp_path / "project"), "mend", wrapped=("prlimit", f"{option}={limit}"))
    assert (status, said.count("\n")) == (1, 1)
    assert f"is {limit:,}, and the stages need" in said


def test_an_older_time_of_change_hides_no_change(tmp_path):
    # As after the clock was set back.
    project = make_small(tmp_path / "project")
    assert tool(project, "unicode_dvc", "repro")[0] == 0
    content = (project / "b").read_text()
    (project / "b").write_text(content.replace("3", "4", 1))
    os.utime(project / "b", (0, 0))
    assert tool(project, "unicode_dvc", "repro")[0] == 0
    assert (project / "b").read_text() == content


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A clone in which the pipeline was run."""
    folder = make_clone(tmp_path_factory.mktemp("faults") / "clone")
    assert ran(run(folder, "python", "-m", "tools.repro")) == STAGES
    commit(folder)
    return folder


@pytest.mark.pipeline
@pytest.mark.parametrize(
    "name",
    [
        "data/raw/train_images.npy",
        "data/tfrecords/dataset.json",
        "models/model.keras",
        "metrics/test.json",
        "plots/history.csv",
    ],
)
@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-9], lambda data: data[:-9] + b"\0" + data[-8:], lambda _: b"", None],
    ids=["cut", "changed", "emptied", "missing"],
)
def test_a_damaged_output_comes_back_from_the_cache(finished, name, damage):
    path, before = finished / name, (finished / name).read_bytes()
    path.unlink()
    if damage:
        path.write_bytes(damage(before))
    assert ran(run(finished, "python", "-m", "tools.repro")) == []
    assert path.read_bytes() == before


def somewhere_else(finished, tmp_path, name):
    """A copy of the clone in a folder of another name, in which one stage must run."""
    folder = Path(shutil.copytree(finished, tmp_path / name, symlinks=True))
    edit_params(folder, ("tiny: {digits: 0.3}", "tiny: {digits: 0.2}"))
    return folder


@pytest.mark.pipeline
@pytest.mark.parametrize("name", ["two words", "Schätze ☃", "two\nlines", "it's $HOME"])
def test_a_folder_may_have_any_name(finished, tmp_path, name):
    folder = somewhere_else(finished, tmp_path, name)
    assert ran(run(folder, "python", "-m", "tools.repro")) == ["evaluate"]
    assert run(folder, "python", "-m", "tools.fsck").startswith("no damage")


@pytest.mark.pipeline
def test_a_symbolic_link_to_the_folder(finished, tmp_path):
    somewhere_else(finished, tmp_path, "target")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert ran(run(tmp_path / "link", "python", "-m", "tools.repro")) == ["evaluate"]


@pytest.mark.pipeline
def test_a_work_tree_of_git(finished, tmp_path):
    run(finished, "git", "worktree", "add", "--quiet", str(tmp_path / "tree"))
    folder = tmp_path / "tree"
    shutil.copytree(finished / ".dvc/cache", folder / ".dvc/cache")
    assert ran(run(folder, "python", "-m", "tools.repro")) == [], "its outputs come from the cache"
    options = ("--set", "recipes.tiny.epochs=1", "--keep", "metrics")
    run(folder, "python", "-m", "tools.experiment", "try", *options)
    assert (folder / "runs/try/metrics/test.json").exists()
    assert run(folder, "git", "status", "--porcelain") == ""


@pytest.mark.pipeline
def test_a_strict_umask_gives_the_same_bytes(finished, tmp_path):
    folder = make_clone(tmp_path / "clone")
    run(folder, "sh", "-c", "umask 077; exec python -m tools.repro --no-run-cache")
    assert (folder / "dvc.lock").read_bytes() == (finished / "dvc.lock").read_bytes()
    assert (folder / "models/model.keras").stat().st_mode & 0o077 == 0

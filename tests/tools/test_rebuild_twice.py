import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from dvc.repo import Repo

from digits.core.errors import UserError
from tools import comparison, golden, rebuild_twice

pytestmark = pytest.mark.filterwarnings("ignore")  # DVC's own

RECORD = {"processor": {"class": "x86_64 with avx2", "threads": 2}, "versions": {"keras": "3"}}
LOCK = """\
stages:
  train:
    cmd: python -m stages.train
    outs:
    - {path: models/model.keras, md5: MODEL}
    - {path: made, md5: MADE}
"""


def make_build(folder, made="x"):
    (folder / "made/inner").mkdir(parents=True)
    (folder / "made/inner/file").write_text(made)
    (folder / "models").mkdir()
    with zipfile.ZipFile(folder / "models/model.keras", "w") as archive:
        archive.writestr(zipfile.ZipInfo("metadata.json"), json.dumps({"provenance": RECORD}))
    checksums = {"MODEL": golden.md5(folder / "models/model.keras"), "MADE": golden.md5(folder / "made")}
    text = LOCK
    for name, checksum in checksums.items():
        text = text.replace(name, checksum)
    (folder / "dvc.lock").write_text(text)


@pytest.fixture(autouse=True)
def golden_file(tmp_path, monkeypatch):
    """The file of the golden hashes, which is not there yet."""
    monkeypatch.setattr(golden, "FILE", tmp_path / "golden.json")
    return tmp_path / "golden.json"


@pytest.fixture
def builds(tmp_path, monkeypatch):
    """Builds without running anything: each leaves what the list says, in turn."""
    monkeypatch.chdir(tmp_path)
    contents = []
    monkeypatch.setattr(
        rebuild_twice, "build", lambda folder, settings, conditions: make_build(folder, made=contents.pop(0))
    )
    monkeypatch.setattr(sys, "argv", ["rebuild_twice"])
    return contents


def test_after_equal_builds_nothing_is_left(builds, capsys):
    builds += ["x", "x"]
    rebuild_twice.main()
    out = capsys.readouterr().out
    assert "both builds made the same bytes: 2 files of 1 stages" in out
    assert "class of processor: x86_64 with avx2, keras 3" in out
    assert "golden hashes: none recorded for params.yaml as it is" in out
    assert not rebuild_twice.FOLDER.exists()


def test_after_a_difference_both_builds_are_left_to_look_at(builds):
    builds += ["x", "y"]
    with pytest.raises(
        UserError, match=r"train: made/inner/file differs between two builds .* compare runs/verify/fir"
    ):
        rebuild_twice.main()
    assert all((rebuild_twice.FOLDER / name / "dvc.lock").exists() for name in rebuild_twice.PLACES)


def record(monkeypatch, *settings):
    monkeypatch.setattr(sys, "argv", ["rebuild_twice", "--record", *(["--set", *settings] if settings else [])])
    rebuild_twice.main()
    monkeypatch.setattr(sys, "argv", ["rebuild_twice", *(["--set", *settings] if settings else [])])


def test_recorded_are_the_run_of_this_project_and_one_build(builds, monkeypatch, golden_file, capsys):
    make_build(Path(), made="own")
    builds += ["x"]
    record(monkeypatch, "recipe=embedded", "dataset=digits")
    own, built = json.loads(golden_file.read_text())["runs"]
    assert own["settings"] == []
    assert built["settings"] == ["dataset=digits", "recipe=embedded"]
    assert own["outputs"]["train"]["made/inner/file"] == golden.md5(Path("made/inner/file"))
    assert own["outputs"]["train"]["made/inner/file"] != built["outputs"]["train"]["made/inner/file"]
    assert "recorded dvc.lock: x86_64 with avx2, keras 3" in capsys.readouterr().out
    assert not rebuild_twice.FOLDER.exists()


def test_builds_are_compared_with_what_was_recorded(builds, monkeypatch, capsys):
    make_build(Path())
    builds += ["x", "x", "x"]
    record(monkeypatch, "recipe=embedded")
    rebuild_twice.main()
    assert "golden hashes: the same bytes" in capsys.readouterr().out


def test_other_bytes_than_recorded_are_an_error_and_the_builds_stay(builds, monkeypatch):
    make_build(Path())
    builds += ["x", "y", "y"]
    record(monkeypatch, "recipe=embedded")
    with pytest.raises(UserError, match=r"^train: made/inner/file differs from the golden hashes"):
        rebuild_twice.main()
    assert (rebuild_twice.FOLDER / "first/dvc.lock").exists()


def test_the_places_differ_in_all_that_must_not_matter():
    first, second = rebuild_twice.PLACES.values()
    for key in ("TZ", "LC_ALL", "PYTHONHASHSEED"):
        assert first.environment[key] != second.environment[key]
    assert (first.home, first.cores, first.load) != (second.home, second.cores, second.load)
    assert str(second).endswith("another home, cores: 1, a busy process beside it")


def test_the_busy_process_runs_meanwhile_and_no_longer(monkeypatch):
    monkeypatch.setattr(rebuild_twice, "BUSY", f"print(1, flush=True)\n{rebuild_twice.BUSY}")
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        subprocess,
        "Popen",
        lambda command: started.append(popen(command, stdout=subprocess.PIPE)) or started[0],
    )
    with rebuild_twice.busy(True):
        assert started[0].stdout.readline() == b"1\n"
        assert started[0].poll() is None
    assert started[0].poll() is not None


def test_the_busy_process_ends_with_its_parent():
    # This process is not its parent, if 0 is given: so it ends at once.
    assert subprocess.run([sys.executable, "-c", rebuild_twice.BUSY, "0"], check=False, timeout=60).returncode == 0


def test_the_other_home_has_settings_that_a_careless_pipeline_would_heed(tmp_path):
    environment = rebuild_twice.home(tmp_path / "home")
    assert Path(environment["HOME"]).is_absolute()
    assert json.loads(Path(environment["HOME"], ".keras/keras.json").read_text())["floatx"] == "float64"
    assert "savefig.dpi" in Path(environment["XDG_CONFIG_HOME"], "matplotlib/matplotlibrc").read_text()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot limit cores")
def test_cores_are_limited_for_what_is_started_and_free_again_after():
    before = os.sched_getaffinity(0)
    count = [sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"]
    with rebuild_twice.limited_cores(1):
        assert subprocess.run(count, check=False, capture_output=True).stdout == b"1\n"
    assert os.sched_getaffinity(0) == before


STAGES = """\
stages:
  same:
    cmd: python stages/same.py
    deps: [stages/same.py]
    params: [seed]
    outs: [models/model.keras]
  first:
    cmd: python -c "COMMAND"
    deps: [models/model.keras]
    outs: [first]
"""
SAME = f"""\
import json, pathlib, zipfile
pathlib.Path("models").mkdir(exist_ok=True)
with zipfile.ZipFile("models/model.keras", "w") as archive:
    archive.writestr(zipfile.ZipInfo("metadata.json"), json.dumps({{"provenance": {RECORD}}}))
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Makes a project whose second stage runs what is given."""
    folder = tmp_path / "project"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")

    def make(command):
        for name in comparison.FOLDERS:
            (folder / name).mkdir(parents=True)
        (folder / "stages/same.py").write_text(SAME)
        (folder / "params.yaml").write_text("seed: 1\n")
        (folder / "dvc.yaml").write_text(STAGES.replace("COMMAND", command))
        Repo.init(str(folder), no_scm=True).close()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["rebuild_twice", "--set", "seed=2"])

    return make


def test_two_real_builds_that_agree_leave_the_cache_of_the_project_alone(project, capfd):
    project("open('first', 'w').write(open('params.yaml').read())")
    rebuild_twice.main()
    assert "both builds made the same bytes: 2 files of 2 stages" in capfd.readouterr().out
    assert not list(Path(".dvc").glob("cache/files/**/*"))
    assert Path("params.yaml").read_text() == "seed: 1\n"


@pytest.mark.pipeline
@pytest.mark.parametrize(
    "command",
    [
        "import time; open('first', 'w').write(time.tzname[0])",
        "open('first', 'w').write(str(hash('text')))",
        "import os; open('first', 'w').write(os.path.expanduser('~'))",
    ],
)
def test_a_stage_that_shows_where_it_ran_is_found_out(project, capfd, command):
    project(command)
    with pytest.raises(UserError, match=r"^first: first differs between two builds"):
        rebuild_twice.main()


@pytest.mark.pipeline
@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) == 1, reason="there is one core anyhow"
)
def test_a_stage_that_counts_the_cores_is_found_out(project, capfd):
    project("import os; open('first', 'w').write(str(len(os.sched_getaffinity(0))))")
    with pytest.raises(UserError, match=r"^first: first differs between two builds"):
        rebuild_twice.main()


@pytest.mark.pipeline
def test_a_stage_that_fails_ends_it_with_the_status_of_dvc(project, capfd):
    project("raise SystemExit(3)")
    with pytest.raises(SystemExit) as stop:
        rebuild_twice.main()
    assert stop.value.code

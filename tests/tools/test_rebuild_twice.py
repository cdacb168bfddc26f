import os
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from digits.core.errors import UserError
from tools import comparison, rebuild_twice

pytestmark = pytest.mark.filterwarnings("ignore")  # DVC's own

LOCK = """\
stages:
  first:
    outs:
    - {path: made, md5: MADE.dir, nfiles: 2}
  second:
    outs:
    - {path: figure.json, md5: FIGURE}
"""


def make_build(folder, made="x", figure="1"):
    (folder / "made/inner").mkdir(parents=True)
    (folder / "made/same").touch()
    (folder / "made/inner/file").write_text(made)
    (folder / "figure.json").write_text(figure)
    (folder / "dvc.lock").write_text(LOCK.replace("MADE", made).replace("FIGURE", figure))


def difference(tmp_path, **other):
    make_build(tmp_path / "one")
    make_build(tmp_path / "two", **other)
    return rebuild_twice.difference(tmp_path / "one", tmp_path / "two")


def test_equal_builds_do_not_differ(tmp_path):
    assert difference(tmp_path) is None


def test_the_first_stage_and_its_file_are_named(tmp_path):
    assert difference(tmp_path, made="y", figure="2") == "first: made/inner/file differs"


def test_a_single_file_is_named_too(tmp_path):
    assert difference(tmp_path, figure="2") == "second: figure.json differs"


def test_a_file_in_one_build_alone_differs(tmp_path):
    make_build(tmp_path / "one")
    make_build(tmp_path / "two", made="y")
    (tmp_path / "two/made/inner/file").write_text("x")
    (tmp_path / "two/made/more").touch()
    assert rebuild_twice.difference(tmp_path / "one", tmp_path / "two") == "first: made/more differs"


@pytest.fixture
def builds(tmp_path, monkeypatch):
    """Builds without running anything: each leaves what `contents` says, in turn."""
    monkeypatch.chdir(tmp_path)
    contents = []
    monkeypatch.setattr(
        rebuild_twice, "build", lambda folder, settings, different: make_build(folder, made=contents.pop(0))
    )
    monkeypatch.setattr(sys, "argv", ["rebuild_twice"])
    return contents


def test_after_equal_builds_nothing_is_left(builds, capsys):
    builds += ["x", "x"]
    rebuild_twice.main()
    assert "both builds made the same bytes: 3 files of 2 outputs" in capsys.readouterr().out
    assert not rebuild_twice.FOLDER.exists()


def test_after_a_difference_both_builds_are_left_to_look_at(builds):
    builds += ["x", "y"]
    with pytest.raises(
        UserError, match=r"first: made/inner/file differs between two builds .* compare runs/verify/fir"
    ):
        rebuild_twice.main()
    assert all((rebuild_twice.FOLDER / name / "dvc.lock").exists() for name in rebuild_twice.PLACES)


def test_the_places_differ_in_all_that_must_not_matter():
    for key in ("TZ", "LC_ALL", "PYTHONHASHSEED"):
        assert len({place[key] for place in rebuild_twice.PLACES.values()}) == 2


STAGES = """\
stages:
  same:
    cmd: python -c "open('same', 'w').write('1')"
    params: [seed]
    outs: [same]
  first:
    cmd: python -c "COMMAND"
    deps: [same]
    outs: [first]
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
        (folder / "params.yaml").write_text("seed: 1\n")
        (folder / "dvc.yaml").write_text(STAGES.replace("COMMAND", command))
        Repo.init(str(folder), no_scm=True).close()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["rebuild_twice", "--set", "seed=2"])

    return make


def test_two_real_builds_that_agree_leave_the_cache_of_the_project_alone(project, capfd):
    project("open('first', 'w').write(open('params.yaml').read())")
    rebuild_twice.main()
    assert "both builds made the same bytes: 2 files of 2 outputs" in capfd.readouterr().out
    assert not list(Path(".dvc").glob("cache/files/**/*"))
    assert Path("params.yaml").read_text() == "seed: 1\n"


@pytest.mark.parametrize(
    "command",
    [
        "import time; open('first', 'w').write(time.tzname[0])",
        "open('first', 'w').write(str(hash('text')))",
    ],
)
def test_a_stage_that_shows_where_it_ran_is_found_out(project, capfd, command):
    project(command)
    with pytest.raises(UserError, match=r"^first: first differs between two builds"):
        rebuild_twice.main()


def test_a_stage_that_fails_ends_it_with_the_status_of_dvc(project, capfd):
    project("raise SystemExit(3)")
    with pytest.raises(SystemExit) as stop:
        rebuild_twice.main()
    assert stop.value.code

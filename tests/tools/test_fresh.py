import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from digits.core.errors import UserError
from tests.conftest import ROOT
from tools import comparison, fresh

pytestmark = pytest.mark.filterwarnings("ignore")  # DVC's own

PIPELINE = """\
stages:
  first:
    cmd: mkdir -p made && cat code/a.txt code/b.txt > made/first
    deps: [code]
    params: [seed]
    outs: [made/first]
  second:
    cmd: cp made/first made/second && echo 1 > figure.json
    deps: [made/first, second.txt]
    outs: [made/second]
    metrics:
      - figure.json: {cache: false}
"""


def make_project(folder):
    for name, text in {
        "dvc.yaml": PIPELINE,
        "params.yaml": "seed: 1\nother: 2\n",
        "code/a.txt": "a",
        "code/b.txt": "b",
        "second.txt": "c",
        ".dvcignore": "*.log\n",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    Repo.init(str(folder), no_scm=True).close()
    with Repo(str(folder)) as repo, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        repo.reproduce()
    # As a clone has it: neither outputs nor cache.
    shutil.rmtree(folder / "made")
    shutil.rmtree(folder / ".dvc/cache")


@pytest.fixture
def folder(made_once, tmp_path):
    return Path(shutil.copytree(made_once("fresh", make_project), tmp_path / "project"))


def stale(folder):
    return fresh.stale(folder, "dvc.yaml")


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_a_run_left_is_fresh_without_outputs_and_cache(folder):
    assert stale(folder) == []


def test_what_no_stage_depends_on_is_no_matter(folder):
    edit(folder / "params.yaml", "other: 2", "other: 3")
    (folder / "code/x.log").touch()  # .dvcignore has it
    assert stale(folder) == []


def test_each_kind_of_change_is_named_with_its_stage(folder):
    edit(folder / "params.yaml", "seed: 1", "seed: 2")
    (folder / "code/a.txt").write_text("other")
    (folder / "second.txt").unlink()
    (folder / "figure.json").write_text("2")
    assert stale(folder) == [
        "first: modified: code, parameter seed",
        "second: deleted: second.txt; modified: figure.json",
    ]


def test_a_new_file_in_a_folder_counts(folder):
    (folder / "code/c.txt").touch()
    assert stale(folder) == ["first: modified: code"]


def test_another_command_a_new_dependency_and_a_new_stage_are_stale(folder):
    edit(folder / "dvc.yaml", "cp made", "cp -f made")
    edit(folder / "dvc.yaml", "deps: [code]", "deps: [code, second.txt]")
    with (folder / "dvc.yaml").open("a") as file:
        file.write("  third:\n    cmd: echo\n    deps: [made/second]\n")
    assert stale(folder) == ["first: new: second.txt", "second: modified: command", "third: new: the whole stage"]


def test_a_lock_of_two_runs_is_stale(folder):
    text = (folder / "dvc.lock").read_text()
    md5 = fresh.lock(folder / "dvc.lock")["first"]["outs"][0]["md5"]
    before, after = text.split("  second:")
    (folder / "dvc.lock").write_text(f"{before}  second:{after.replace(md5, 'a' * 32)}")
    assert stale(folder) == ["second: not what first made: made/first"]


def test_without_a_lock_every_stage_is_new(folder):
    (folder / "dvc.lock").unlink()
    assert stale(folder) == ["first: new: the whole stage", "second: new: the whole stage"]


def test_an_unfinished_merge_is_one_line(folder):
    (folder / "dvc.lock").write_text("<<<<<<< HEAD\nschema: '2.0'\n=======\n>>>>>>> other\n")
    with pytest.raises(UserError, match=r"dvc\.lock") as error:
        stale(folder)
    assert "\n" not in str(error.value)


def test_in_a_clone_of_this_project_it_needs_no_data_and_changes_nothing(tmp_path):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    for name in tracked:
        if (ROOT / name).is_file() and not name.startswith(("tests/", "compare/results/")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    before = {path for path in tmp_path.rglob("*") if not {".dvc", ".git"} & set(path.parts)}
    done = subprocess.run(
        [sys.executable, "-m", "tools.fresh"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "DVC_SITE_CACHE_DIR": str(tmp_path / ".dvc/site")},
        check=False,
        capture_output=True,
        text=True,
    )
    # Whether the committed locks are of the committed sources is for CI's job `fresh` to say.
    if done.returncode:
        (line,) = done.stderr.splitlines()
        assert line.startswith("fresh: the lock is of other sources or parameters: run `make ")
        assert done.stdout.startswith(("dvc.lock: ", "compare/pipeline.lock: "))
    else:
        assert done.stdout == f"dvc.lock and {comparison.LOCK} are of these sources and parameters\n"
    assert {path for path in tmp_path.rglob("*") if not {".dvc", ".git"} & set(path.parts)} == before


def test_both_remedies_are_in_the_last_line(monkeypatch, capsys):
    monkeypatch.setattr(fresh, "stale", lambda root, pipeline: ["first: modified: code"])
    monkeypatch.setattr(fresh, "stale_comparison", lambda: ["run@x: modified: code"])
    with pytest.raises(
        UserError, match=r"run `make repro` and commit dvc.lock, then `make compare` and commit compare/"
    ):
        fresh.main()
    assert capsys.readouterr().out == (
        "dvc.lock: first: modified: code\ncompare/pipeline.lock: run@x: modified: code\n"
    )

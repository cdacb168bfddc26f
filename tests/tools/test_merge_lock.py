"""Two branches that ran a small pipeline differently, and their merge."""

import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from digits.core.errors import UserError
from tools import mend, merge_lock

pytestmark = pytest.mark.filterwarnings("ignore")  # DVC's own

PIPELINE = """
stages:
  data:
    cmd: cp source data
    deps: [source]
    outs: [data]
  train:
    cmd: cat data code > model
    deps: [code, data]
    params: [rate]
    outs: [model]
  test:
    cmd: cp model figures
    deps: [model]
    outs: [figures]
  other:
    cmd: cp words text
    deps: [words]
    outs: [text]
"""


def git(*arguments, check=True):
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    return subprocess.run(["git", *identity, *arguments], check=check, capture_output=True, text=True)


def repro():
    with Repo() as repo:
        return [stage.name for stage in repo.reproduce()]


def commit(**contents):
    """Writes files, runs the pipeline and commits."""
    for name, text in contents.items():
        Path(name.replace("_", ".")).write_text(text)
    repro()
    git("add", "--all")
    git("commit", "--quiet", "--message", "m")


def configure(folder):
    (folder / ".dvc/config").write_text(f"[core]\n    autostage = false\n    site_cache_dir = {folder}/.dvc/site\n")


@pytest.fixture(scope="module")
def first_commit(tmp_path_factory):
    """A repository in which the pipeline was run once, to be copied."""
    folder = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        git("init", "--quiet", "--initial-branch", "main")
        Path(".dvc").mkdir()
        configure(folder)
        Path(".gitignore").write_text("/.dvc\n/data\n/model\n/figures\n/text\n")
        commit(dvc_yaml=PIPELINE, source="s\n", code="c\n", words="w\n", params_yaml="rate: 1\n")
        shutil.rmtree(".dvc/site")
    return folder


@pytest.fixture
def repository(first_commit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(first_commit, tmp_path, dirs_exist_ok=True)
    configure(tmp_path)
    return tmp_path


def diverge(ours, theirs):
    """Makes a commit on each of two branches, and merges them; the lock is in conflict."""
    git("checkout", "--quiet", "-b", "theirs")
    commit(**theirs)
    git("checkout", "--quiet", "main")
    commit(**ours)
    assert git("merge", "theirs", check=False).returncode
    assert "<<<<<<< " in Path("dvc.lock").read_text()


def resolved(capsys):
    merge_lock.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("next: `make repro`")
    return dict(line.removeprefix("dvc.lock: ").split(": ") for line in lines[:-1])


NEITHER = "of neither side; it will run"


def test_each_stage_is_of_the_side_that_ran_what_is_there_now(repository, capsys):
    diverge({"code": "our code\n"}, {"words": "their words\n", "code": "their code\n"})
    git("checkout", "--ours", "code")
    sides = resolved(capsys)
    assert sides == {"data": "ours", "train": "ours", "test": "ours", "other": "theirs"}
    git("checkout", "HEAD", "--", ".gitignore")
    assert repro() == ["other"], "its output comes from the run-cache; the others are up to date"
    assert Path("text").read_text() == "their words\n"


def test_what_neither_side_ran_is_left_out_with_what_follows(repository, capsys):
    diverge({"code": "our code\n"}, {"source": "their source\n"})
    sides = resolved(capsys)
    assert sides == {"data": "theirs", "train": NEITHER, "test": NEITHER, "other": "ours"}
    assert sorted(mend_entries()) == ["data", "other"]
    assert repro() == ["data", "train", "test"]
    assert Path("figures").read_text() == "their source\nour code\n"


def mend_entries():
    return merge_lock.content(Path("dvc.lock").read_text())


def test_parameters_decide_too(repository, capsys):
    diverge({"params_yaml": "rate: 2\n"}, {"params_yaml": "rate: 3\n"})
    Path("params.yaml").write_text("rate: 3\n")
    assert resolved(capsys)["train"] == "theirs"


def test_a_resolved_lock_is_no_conflict_for_git_or_dvc(repository, capsys):
    diverge({"code": "our code\n"}, {"code": "their code\n"})
    git("checkout", "--theirs", "code")
    resolved(capsys)
    git("add", "--all")
    assert git("diff", "--name-only", "--diff-filter=U").stdout == ""
    assert mend.is_lock(Path("dvc.lock").read_bytes())


def test_marks_that_were_committed_are_understood(repository, capsys):
    diverge({"code": "our code\n"}, {"code": "their code\n"})
    git("checkout", "--theirs", "code")
    git("add", "--all")
    git("commit", "--quiet", "--message", "with marks in it")
    assert resolved(capsys)["train"] == "theirs"


def test_unresolved_parameters_come_first(repository):
    diverge({"params_yaml": "rate: 2\n"}, {"params_yaml": "rate: 3\n"})
    before = Path("dvc.lock").read_text()
    with pytest.raises(UserError, match=r"^params\.yaml: holds a merge conflict; resolve it, then run again$"):
        merge_lock.main()
    assert Path("dvc.lock").read_text() == before


def test_a_pipeline_that_dvc_cannot_read_is_one_line_and_leaves_the_conflict(repository):
    diverge({"code": "our code\n"}, {"code": "their code\n"})
    before = Path("dvc.lock").read_text()
    Path("dvc.yaml").write_text("stages: {")
    with pytest.raises(UserError):
        merge_lock.main()
    assert Path("dvc.lock").read_text() == before


def test_without_a_conflict_it_says_so(repository):
    with pytest.raises(UserError, match=r"^no merge conflict in dvc\.lock or compare/pipeline\.lock$"):
        merge_lock.main()


def test_marks_with_what_was_common_before():
    text = "a\n<<<<<<< HEAD\nb\n||||||| 123\nc\n=======\nd\n>>>>>>> x\ne\n=======\n"
    assert merge_lock.marked(text) == {"ours": "a\nb\ne\n=======\n", "theirs": "a\nd\ne\n=======\n"}


def test_a_pipeline_beside_the_first_one_needs_no_lock_of_that(repository):
    # As in the project of a comparison in which the pipeline itself was never run as a whole.
    Path("sub").mkdir()
    text = "stages:\n  report:\n    wdir: ..\n    cmd: cp model report\n    deps: [model]\n    outs: [report]\n"
    Path("sub/dvc.yaml").write_text(text)
    with Repo() as repo:
        repo.reproduce("sub/dvc.yaml")
    Path("dvc.lock").unlink()
    ours = Path("sub/dvc.lock").read_text()
    sides = {"theirs": ours.replace("cp model report", "cp model other"), "ours": ours}
    assert merge_lock.resolve(Path(), "sub/dvc.yaml", sides) == {"report": "ours"}
    assert Path("sub/dvc.lock").read_text() == ours

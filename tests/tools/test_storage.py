"""One line for each way in which a storage can fail; what is stored: tests/test_storage.py."""

import subprocess
import sys

import pytest
from dvc.data_cloud import DataCloud
from dvc.exceptions import CheckoutError, DvcException
from dvc.repo import Repo

from digits.core.errors import UserError, run
from tools import storage

pytestmark = pytest.mark.filterwarnings("ignore")  # DVC's own


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of DVC with one stage, whose output is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site-cache"))
    repo = Repo.init(no_scm=True)
    (tmp_path / "in").write_text("1")
    repo.run(name="copy", cmd="cp in out", deps=["in"], outs=["out"])
    repo.close()
    return tmp_path


def set_remote(name, url, default=True):
    with Repo() as repo, repo.config.edit() as settings:
        settings["remote"][name] = {"url": url}
        if default:
            settings["core"]["remote"] = name


def call(monkeypatch, way):
    monkeypatch.setattr(sys, "argv", ["storage", way])
    storage.main()


def fails(monkeypatch, way):
    monkeypatch.setattr(sys, "argv", ["storage", way])
    with pytest.raises(SystemExit) as stop:
        run(storage.main)
    assert "\n" not in stop.value.code
    return stop.value.code


def test_what_is_pushed_is_pulled_with_what_the_run_cache_names(project, monkeypatch, capsys):
    set_remote("storage", str(project / "there"))
    with Repo() as repo:
        (project / "in").write_text("2")
        repo.reproduce()
    call(monkeypatch, "push")
    assert capsys.readouterr().out.endswith("there: 2 files are new there, and it knows 2 runs of stages\n")

    (project / ".dvc/cache").rename(project / "lost")
    (project / "out").unlink()
    call(monkeypatch, "pull")
    assert capsys.readouterr().out.endswith("there: 1 files fetched; the outputs are those of dvc.lock\n")
    assert (project / "out").read_text() == "2"
    (project / "in").write_text("1")
    monkeypatch.setattr(subprocess, "Popen", None)
    with Repo() as repo:
        repo.reproduce(pull=True)
    assert (project / "out").read_text() == "1"


def test_what_the_cache_has_lost_is_not_missed(project, monkeypatch, capsys):
    set_remote("storage", str(project / "there"))
    with Repo() as repo:
        (project / "in").write_text("2")
        repo.reproduce()
        repo.gc(workspace=True)
    call(monkeypatch, "push")
    assert capsys.readouterr().out.endswith("there: 1 files are new there, and it knows 2 runs of stages\n")


@pytest.mark.parametrize("way", ["push", "pull"])
def test_without_a_storage_it_says_what_to_do(project, monkeypatch, way):
    assert fails(monkeypatch, way) == (
        "storage: no storage is set: `dvc remote add --default storage FOLDER-OR-ADDRESS` (docs/storage.md); "
        "without one, `make repro` computes everything"
    )


def test_without_a_default_it_names_those_that_there_are(project, monkeypatch):
    set_remote("ours", "there", default=False)
    message = "storage: no storage is the default one: `dvc remote default NAME`, with one of ours"
    assert fails(monkeypatch, "pull") == message


def test_outside_of_a_project_it_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "you are not inside of a DVC repository" in fails(monkeypatch, "pull")


def test_an_empty_storage_is_one_line(project, monkeypatch, capfd):
    set_remote("storage", "there")
    (project / ".dvc/cache").rename(project / "lost")
    (project / "out").unlink()
    assert fails(monkeypatch, "pull").endswith(
        "there lacks 1 of the outputs, or has damaged ones: out; "
        "`make push` where they were made, or `make repro`, which computes them"
    )
    assert capfd.readouterr().err == ""


def test_a_pull_compares_with_checksums(project, monkeypatch):
    def pull(repo, run_cache):
        repo._reset()  # as DVC does when it takes its lock
        return {"stats": {"fetched": int(repo.cloud.get_remote().odb.verify)}}

    set_remote("storage", "s3://bucket/digits")
    monkeypatch.setattr(Repo, "pull", pull)
    assert storage.pull("there").startswith("there: 1 files fetched")


def test_a_changed_output_is_not_replaced(project, monkeypatch):
    set_remote("storage", "there")
    call(monkeypatch, "push")
    (project / "out").unlink()
    (project / "out").write_text("mine")
    message = "storage: out: changed here, and kept nowhere else; `dvc pull --force` replaces them"
    assert fails(monkeypatch, "pull") == message
    assert (project / "out").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_one_line(project, monkeypatch):
    (project / "file").touch()
    set_remote("storage", str(project / "file"))
    assert fails(monkeypatch, "push").startswith(f"storage: {project}/file: ")


def test_a_storage_without_its_packages_names_the_set_that_has_them():
    for name in storage.SETS:
        message = storage.explain(ImportError(f"{name} is supported, but requires ..."), f"{name}://place/digits")
        assert message == f"{name}://place/digits: its packages are not installed: `make setup STORAGE={name}`"


def test_any_other_error_is_one_line_too():
    assert storage.explain(OSError("no\nroute"), "s3://place") == (
        "s3://place: no route; check the address, the network and your access (docs/storage.md)"
    )
    assert storage.explain(ValueError(), "s3://place").startswith("s3://place: ValueError; check")
    many = CheckoutError([f"plots/{name}.png" for name in "dbca"], {})
    assert (
        "lacks 4 of the outputs, or has damaged ones: plots/a.png, plots/b.png, plots/c.png, ...; "
        in storage.explain(many, "there")
    )
    assert storage.explain(DvcException("locked"), "there").startswith("there: locked; ")


def test_a_file_that_is_not_stored_fails_the_push(project, monkeypatch):
    set_remote("storage", "there")
    failed = type("Result", (), {"failed": {"x"}, "transferred": set()})
    monkeypatch.setattr(DataCloud, "push", lambda cloud, objects: failed)
    with pytest.raises(UserError, match="there: 1 files could not be stored there; run `make push` again"):
        storage.push("there")

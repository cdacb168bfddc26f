import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from dvc.config import Config

from digits.core.errors import UserError
from tests.conftest import ROOT
from tools import comparison

FOLDER = Path("runs/compare")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """As few files as a project can have, in a folder of any name, made the current one."""
    folder = tmp_path / "mein Projekt ä"
    for name in ("benchmarks/seeds/tiny.json", "digits/core/files.py", "drawings/test.json", "stages/train.py"):
        write(folder / name, name)
    for name in ("run.py", "published.yaml", "pipeline.yaml", "pipeline.lock"):
        write(folder / "compare" / name, f"# {name}\n")
    for name in ("dvc.yaml", "dvc.lock", ".dvcignore"):
        write(folder / name, f"# {name}\n")
    write(folder / "params.yaml", "dataset: mnist\nseed: 20\ntrain:\n  memory_mb: 1024\n")
    write(folder / ".dvc/config", "[core]\n    analytics = false\n")
    monkeypatch.chdir(folder)
    return folder


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_sources_are_there_and_the_pipeline_has_the_name_that_dvc_wants(project):
    comparison.prepare(FOLDER, [])
    assert files(FOLDER) == {
        "benchmarks/seeds/tiny.json",
        "digits/core/files.py",
        "drawings/test.json",
        "stages/train.py",
        "compare/run.py",
        "compare/published.yaml",
        "compare/dvc.yaml",
        "compare/dvc.lock",
        "dvc.yaml",
        "dvc.lock",
        "params.yaml",
        ".dvcignore",
        ".dvc/config",
        ".dvc/config.local",
    }
    assert (FOLDER / "compare/dvc.yaml").read_text() == "# pipeline.yaml\n"
    assert (FOLDER / "compare/dvc.lock").read_text() == "# pipeline.lock\n"
    assert (FOLDER / "dvc.yaml").read_text() == "# dvc.yaml\n"


def test_what_a_comparison_names_is_copied():
    # Which paths the project's own files are in: none may be missing in the copy.
    folders = {*comparison.FOLDERS, "compare", "data"}
    text = (ROOT / comparison.PIPELINE).read_text() + (ROOT / "dvc.yaml").read_text()
    named = {
        line.strip(" -").split("/")[0] for line in text.splitlines() if line.strip().startswith("- ") and "/" in line
    }
    assert {name for name in named if name.isidentifier()} - folders == {"metrics", "models", "plots"}, "outputs"


def test_an_edit_and_a_file_that_is_gone_arrive_and_outputs_stay(project):
    comparison.prepare(FOLDER, [])
    outputs = (
        "compare/results/tiny/model.keras",
        "compare/cost/tiny.json",
        "compare/checkpoints/a.npz",
        "data/raw/a.npy",
    )
    for name in outputs:
        write(FOLDER / name, "an output")
    for name in ("compare/run.py", "digits/core/files.py", "drawings/test.json", "dvc.lock", "compare/pipeline.lock"):
        (project / name).unlink()
    (project / "drawings").rmdir()
    write(project / "drawings/validation.json", "new")
    write(project / "stages/train.py", "edited")
    comparison.prepare(FOLDER, [])
    there = files(FOLDER)
    assert set(outputs) < there
    assert not {"compare/run.py", "digits/core/files.py", "drawings/test.json", "dvc.lock", "compare/dvc.lock"} & there
    assert "drawings/validation.json" in there
    assert (FOLDER / "stages/train.py").read_text() == "edited"


def test_what_python_leaves_beside_the_sources_is_not_copied(project):
    write(project / "digits/core/__pycache__/files.pyc", "")
    comparison.prepare(FOLDER, [])
    assert not [name for name in files(FOLDER) if "__pycache__" in name]


def test_parameters_differ_in_the_copy_only_and_not_the_next_time(project):
    before = (project / "params.yaml").read_text()
    comparison.prepare(FOLDER, ["dataset=digits", "train.memory_mb=2"])
    assert (FOLDER / "params.yaml").read_text() == "dataset: digits\nseed: 20\ntrain:\n  memory_mb: 2\n"
    assert (project / "params.yaml").read_text() == before
    comparison.prepare(FOLDER, ["seed=21"])
    assert (FOLDER / "params.yaml").read_text() == before.replace("20", "21")


@pytest.mark.parametrize("settings", [["nothing=1"], ["seed"], ["seed=1", "dataset=[a"]])
def test_a_setting_that_dvc_does_not_take_is_one_line(project, settings):
    with pytest.raises(UserError) as caught:
        comparison.prepare(FOLDER, settings)
    assert str(caught.value).startswith(f"--set {' '.join(settings)}: ")
    assert "\n" not in str(caught.value)


def local(folder=FOLDER):
    return Config(dvc_dir=str((folder / ".dvc").resolve())).read("local")


def test_it_is_a_project_without_git_that_shares_the_cache(project):
    comparison.prepare(FOLDER, [])
    assert local()["core"]["no_scm"] == "True"
    assert local()["cache"]["dir"] == str(project / ".dvc/cache")
    comparison.prepare(FOLDER, [])
    assert local()["cache"]["dir"] == str(project / ".dvc/cache"), "a second time, too"


def test_the_configuration_of_the_project_counts_there_too(project, tmp_path):
    store = tmp_path / "Schätze"
    write(project / ".dvc/config", f"[core]\n    remote = store\n['remote \"store\"']\n    url = {store}\n")
    write(
        project / ".dvc/config.local",
        f"[core]\n    site_cache_dir = {tmp_path}\n[cache]\n    dir = {tmp_path / 'cache'}\n",
    )
    comparison.prepare(FOLDER, [])
    config = Config(dvc_dir=str((FOLDER / ".dvc").resolve()))
    assert config["remote"]["store"]["url"] == str(store)
    assert config["core"]["site_cache_dir"] == str(tmp_path)
    assert config["cache"]["dir"] == str(tmp_path / "cache")
    assert Config(dvc_dir=str(project / ".dvc")).read("local")["core"].get("no_scm") is None, (
        "the project's is as it was"
    )


def test_a_cache_that_the_committed_configuration_names_is_used(project, tmp_path):
    write(project / ".dvc/config", f"[cache]\n    dir = {tmp_path / 'cache'}\n")
    comparison.prepare(FOLDER, [])
    assert Config(dvc_dir=str((FOLDER / ".dvc").resolve()))["cache"]["dir"] == str(tmp_path / "cache")


def test_a_remote_with_a_relative_path_is_the_same(project):
    write(project / ".dvc/config", "['remote \"store\"']\n    url = ../store\n")
    comparison.prepare(FOLDER, [])
    urls = {Config(dvc_dir=str((folder / ".dvc").resolve()))["remote"]["store"]["url"] for folder in (Path(), FOLDER)}
    assert urls == {str(project / "store")}


@pytest.fixture
def measured(project):
    """A comparison that was run."""
    comparison.prepare(FOLDER, [])
    for name in ("REPORT.md", "metrics.json", "plots/new.png", "dvc.lock", "results/tiny/model.keras"):
        write(FOLDER / "compare" / name, f"new {name}")
    write(project / "compare/REPORT.md", "old")
    write(project / "compare/plots/old.png", "old")
    return project


def test_report_metrics_pictures_and_lock_are_kept_and_models_are_not(measured):
    comparison.keep(FOLDER)
    kept = {name: (measured / "compare" / name).read_text() for name in files(measured / "compare")}
    assert {name: text for name, text in kept.items() if text.startswith("new")} == {
        "REPORT.md": "new REPORT.md",
        "metrics.json": "new metrics.json",
        "plots/new.png": "new plots/new.png",
        "pipeline.lock": "new dvc.lock",
    }
    assert "plots/old.png" not in kept


@pytest.fixture
def repro(project, monkeypatch):
    """Stands in for DVC: `repro.status` is what it ends with, `repro.calls` what it was told, and where."""
    state = SimpleNamespace(status=0, calls=[])

    def run(*command):
        state.calls.append((command, Path.cwd().relative_to(project)))
        for name in ("REPORT.md", "metrics.json", "plots/new.png", "dvc.lock"):
            write(Path("compare") / name, "of this run")
        return state.status

    monkeypatch.setattr(comparison.unicode_dvc, "run", run)
    monkeypatch.setattr(comparison.mend, "main", lambda: None)  # it would find that these locks are none
    return state


def start(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["comparison", *arguments])
    comparison.main()


def test_the_committed_comparison_is_run_and_kept(project, repro, monkeypatch, capsys):
    start(monkeypatch)
    assert repro.calls == [(("repro", "compare/dvc.yaml"), FOLDER)]
    assert (project / "compare/REPORT.md").read_text() == "of this run"
    assert (project / "compare/pipeline.lock").read_text() == "of this run"
    assert not (project / "compare/dvc.lock").exists()
    assert capsys.readouterr().out == "report: compare/REPORT.md   DVC's project: runs/compare\n"


def test_with_pull_dvc_takes_what_the_storage_has(project, repro, monkeypatch):
    start(monkeypatch, "--pull")
    assert repro.calls[0][0][-2:] == ("compare/dvc.yaml", "--pull")


def test_another_stays_in_its_folder(project, repro, monkeypatch, capsys):
    start(monkeypatch, "digits", "--set", "dataset=digits", "seed=3")
    folder = Path("runs/compare-digits")
    assert [cwd for _, cwd in repro.calls] == [folder]
    assert (folder / "params.yaml").read_text().startswith("dataset: digits\nseed: 3\n")
    assert not (project / "compare/REPORT.md").exists()
    assert (project / "compare/pipeline.lock").read_text() == "# pipeline.lock\n"
    assert not FOLDER.exists()
    assert capsys.readouterr().out == (
        "report: runs/compare-digits/compare/REPORT.md   DVC's project: runs/compare-digits\n"
    )


def test_a_failed_run_ends_with_the_status_of_dvc_and_nothing_is_kept(project, repro, monkeypatch, capsys):
    repro.status = 255
    with pytest.raises(SystemExit) as stop:
        start(monkeypatch)
    assert stop.value.code == 255
    assert not (project / "compare/REPORT.md").exists()
    assert capsys.readouterr().out == ""


def test_a_wrong_setting_ends_it_with_one_line_before_anything_runs(project, repro, monkeypatch, fails):
    monkeypatch.setattr(sys, "argv", ["comparison", "other", "--set", "nothing=1"])
    assert fails(comparison).startswith("comparison: --set nothing=1: ")
    assert repro.calls == []


def test_dvc_finds_one_pipeline_in_the_project():
    # It reads every file of these names, wherever it lies, for each command.
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert [name for name in tracked if Path(name).name in ("dvc.yaml", "dvc.lock")] == ["dvc.lock", "dvc.yaml"]

import json
import subprocess
import sys
from pathlib import Path

import pytest

from digits.core.errors import UserError
from tools import experiment


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Commands(list):
    """What DVC is told; `failing` has the status of commands that fail, by their first word."""

    def __init__(self):
        super().__init__()
        self.failing = {}


@pytest.fixture
def commands(monkeypatch):
    given = Commands()

    def run(*arguments):
        given.append(arguments)
        return given.failing.get(arguments[0], 0)

    monkeypatch.setattr(experiment.unicode_dvc, "run", run)
    return given


def test_the_pipeline_runs_in_a_copy_with_its_parameters(commands):
    experiment.start("try", ["a=1", "b=2"])
    options = ("--temp", "--name", "try", "--set-param", "a=1", "--set-param", "b=2")
    assert commands == [("exp", "run", *options)]


def test_a_failed_run_ends_with_the_status_of_dvc(commands):
    commands.failing = {"exp": 255}
    with pytest.raises(SystemExit) as stop:
        experiment.start("try", [])
    assert stop.value.code == 255


def test_the_results_replace_those_of_an_earlier_run(commands, folder):
    (folder / "runs/try/plots").mkdir(parents=True)
    (folder / "runs/try/plots/old.png").touch()
    experiment.keep("try", ["plots", "compare/REPORT.md"], Path("runs/try"))
    assert list((folder / "runs/try").iterdir()) == []
    assert [(command[-1], command[3]) for command in commands] == [
        ("runs/try/plots", "plots"),
        ("runs/try/REPORT.md", "compare/REPORT.md"),
    ]


def test_a_folder_with_something_else_is_not_emptied(folder):
    (folder / "runs/compare/plots").mkdir(parents=True)
    experiment.check_folder(folder / "runs/compare", ["plots"])
    experiment.check_folder(folder / "runs/new", ["plots"])
    (folder / "runs/compare/.DS_Store").touch()
    experiment.check_folder(folder / "runs/compare", ["plots"])
    (folder / "runs/compare/dvc.yaml").touch()
    with pytest.raises(UserError, match=r"runs/compare holds something else \(dvc\.yaml\) and would be emptied: take"):
        experiment.check_folder(folder / "runs/compare", ["plots"])


def test_results_that_cannot_be_had_end_it(commands, folder):
    commands.failing = {"get": 1}
    with pytest.raises(SystemExit):
        experiment.keep("try", ["plots"], Path("runs/try"))


def test_the_report_has_figures_places_and_the_way_back(folder):
    row = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    figures = {"accuracy": 0.5, "accuracy_low": 0.1, "accuracy_high": 0.9, "correct": 1, "total": 2}
    figures |= {"loss": 0.7, "ece": 0.2, "per_class": {"0": row}}
    (folder / "try/metrics").mkdir(parents=True)
    (folder / "try/metrics/test.json").write_text(json.dumps(figures))
    (folder / "try/REPORT.md").touch()
    report = experiment.report(Path("try"), "try")
    assert "50.00%   95 % interval 10.00% to 90.00%" in report
    assert report.endswith("report: try/REPORT.md   metrics: try/metrics   undo: .venv/bin/dvc exp remove try")


def test_a_folder_without_a_commit_is_one_line_that_says_what_to_do(folder):
    with pytest.raises(UserError, match="git init && git add") as failure:
        experiment.check_repository()
    assert "\n" not in str(failure.value)
    subprocess.run(["git", "init", "--quiet"], check=True)
    (folder / "dvc.yaml").touch()
    with pytest.raises(UserError):
        experiment.check_repository()
    subprocess.run(["git", "add", "."], check=True)
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", *identity, "commit", "--quiet", "--message", "m"], check=True)
    experiment.check_repository()


def test_everything_is_done_in_order(monkeypatch, commands, folder, capsys):
    done = []
    monkeypatch.setattr(experiment, "check_repository", lambda: done.append("checked"))
    monkeypatch.setattr(experiment.configure_dvc, "main", lambda: done.append("configured"))
    monkeypatch.setattr(experiment, "remove", lambda name: done.append(f"removed {name}"))
    monkeypatch.setattr(sys, "argv", ["experiment", "try", "--set", "dataset=digits", "--keep", "plots"])
    experiment.main()
    assert done == ["checked", "configured", "removed try"]
    assert [command[0] for command in commands] == ["exp", "get"]
    assert "undo: .venv/bin/dvc exp remove try" in capsys.readouterr().out


def test_a_folder_with_a_line_break_is_refused(tmp_path, monkeypatch):
    (tmp_path / "two\nlines").mkdir()
    monkeypatch.chdir(tmp_path / "two\nlines")
    with pytest.raises(UserError, match="line break"):
        experiment.check_repository()


def test_a_folder_of_another_user_is_one_line_that_says_what_to_do(folder, monkeypatch):
    subprocess.run(["git", "init", "--quiet"], check=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(UserError, match=r"^git refuses a folder of another user: git config --global --add"):
        experiment.check_repository()

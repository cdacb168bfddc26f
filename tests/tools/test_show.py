import contextlib
from types import SimpleNamespace

import pytest

from digits.core.errors import UserError
from tools import show


def state(name, rate, *, accuracy=0.9, validation=0.95):
    figures = {"accuracy": accuracy, "accuracy_low": 0.85, "accuracy_high": 0.94, "loss": 0.25}
    metrics = {"metrics/headline.json": {"data": {**figures, "val_accuracy": validation}}}
    params = {"params.yaml": {"data": {"recipes": {"tiny": {"rate": rate}}, "seed": 1}}}
    return SimpleNamespace(name=name, rev="0123456789", data=SimpleNamespace(metrics=metrics, params=params))


def commit(*states):
    found = state("main", 0.1)
    found.experiments = [SimpleNamespace(revs=[one]) for one in states]
    return found


def test_the_best_validation_accuracy_comes_first_and_the_changes_last():
    found = show.rows([commit(state("low", 0.2, validation=0.5), state("high", 0.3, validation=0.99))])
    assert show.table(found).splitlines() == [
        "experiment  test accuracy (95 % interval)  validation  test loss  changed",
        "high        90.00% (85.00% to 94.00%)      99.00%      0.2500     recipes.tiny.rate=0.3",
        "main        90.00% (85.00% to 94.00%)      95.00%      0.2500     (this commit)",
        "low         90.00% (85.00% to 94.00%)      50.00%      0.2500     recipes.tiny.rate=0.2",
    ]


def test_those_of_a_search_and_the_unfinished_are_left_out():
    running = SimpleNamespace(name="running", rev="1", data=None)
    assert [row.name for row in show.rows([commit(state("sweep-1", 0.2), running)])] == ["main"]


def test_a_figure_that_is_missing_is_a_dash():
    (row,) = show.rows([commit()])
    assert show.cells(row._replace(metrics={})) == ("main", "-", "-", "-", "(this commit)")


def test_no_line_is_wider_than_a_page():
    (row,) = show.rows([commit()])
    lines = show.table([row._replace(changed="recipes.tiny.rate=1 " * 20)]).splitlines()
    assert max(map(len, lines)) == show.WIDTH
    assert lines[1].endswith("…")


def test_a_key_that_is_gone_is_a_change():
    assert show.changes({"a": 1, "b": 2}, {"a": 3}) == "a=3  b=removed"


def test_a_file_that_cannot_be_read_has_no_figures():
    assert show.content({"metrics/headline.json": {"error": ValueError()}}) == {}


@pytest.fixture
def dvc(monkeypatch):
    """Sets what DVC's list of experiments is: a function."""

    def find(show_experiments):
        repository = SimpleNamespace(experiments=SimpleNamespace(show=show_experiments))
        monkeypatch.setattr(show, "Repo", lambda: contextlib.nullcontext(repository))

    return find


def test_where_there_is_none_it_says_how_to_make_one(dvc, capsys):
    dvc(lambda: [commit()])
    show.main()
    assert "no experiment on this commit yet: make run" in capsys.readouterr().out


def test_without_git_it_is_one_line(dvc):
    def fail():
        raise show.DvcException("Only supported for Git repositories")

    dvc(fail)
    with pytest.raises(UserError, match="experiments need a git repository"):
        show.main()

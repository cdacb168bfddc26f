import sys

import pytest

from digits.core import progress


@pytest.fixture
def clock(monkeypatch):
    """Four seconds pass between two looks at the clock."""
    seconds = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))


def test_elsewhere_a_line_comes_now_and_then(clock, capsys):
    assert list(progress.track("abcdefgh", "letters", 8)) == list("abcdefgh")
    assert capsys.readouterr().out == "letters: 2 of 8\nletters: 5 of 8\n"


def test_a_quick_task_says_nothing(capsys):
    assert list(progress.track(range(3), "numbers", 3)) == [0, 1, 2]
    assert capsys.readouterr().out == ""


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert list(progress.track(range(3), "numbers", 3)) == [0, 1, 2]
    shown = capsys.readouterr().out
    assert "numbers" in shown
    assert "\n" not in shown

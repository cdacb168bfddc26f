import sys
from pathlib import Path

import pytest

from digits.core.errors import UserError
from tools.review import __main__ as review


@pytest.fixture
def runs(make_side, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    both = {"main": make_side("main", mistakes=range(2)), None: make_side("this folder", mistakes=range(20))}
    monkeypatch.setattr(review, "read", both.__getitem__)


def test_the_report_is_printed_and_written_twice(runs, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["review", "main"])
    review.main()
    printed = capsys.readouterr()
    assert printed.out.startswith("### main → this folder")
    written = Path("runs/review/report.md").read_text()
    assert written.startswith(printed.out.strip())
    assert "```mermaid" in written
    assert "```mermaid" not in printed.out, "nobody can read it on a terminal"
    assert "runs/review/report.html" in printed.err
    assert "data:image/png" in Path("runs/review/report.html").read_text()


def test_the_gate_fails_after_the_report_is_written(runs, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["review", "main", "--gate"])
    with pytest.raises(UserError, match=r"test accuracy: -18\.00 points is worse than the 0\.001 allowed"):
        review.main()
    assert Path("runs/review/report.html").exists()


def test_images_are_shown_only_if_they_are_those_of_both(project, make_side):
    lock = make_side("one").data
    assert review._images(make_side("one"), make_side("other", data="another")) is None
    assert review._images(make_side("one", data=lock), make_side("other", data=lock)) is None, "other labels"

import sys
from pathlib import Path

import pytest

from benchmarks import child, idle_repro
from digits.core.errors import UserError


def test_an_empty_project_has_nothing_to_do(tmp_path):
    idle_repro.make_empty_project(tmp_path, 3)
    assert (tmp_path / "file3").read_text() == "0\n"
    assert "up to date" in child.run([*idle_repro.DVC, "repro"], tmp_path)


def test_a_project_that_is_not_up_to_date_is_told_before_anything_runs(tmp_path, monkeypatch):
    idle_repro.make_empty_project(tmp_path, 2)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["idle_repro"])
    Path("file0").write_text("1\n")
    with pytest.raises(UserError, match=f"{tmp_path}: not up to date; run `make repro` first"):
        idle_repro.main()
    assert Path("file2").read_text() == "0\n"

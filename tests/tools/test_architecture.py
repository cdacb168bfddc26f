import shutil
from pathlib import Path

import pytest
from PIL import Image

from tools import architecture


def test_without_graphviz_there_is_a_summary_and_a_clear_line(project, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    architecture.main()
    output = capsys.readouterr().out
    assert "490 weights" in output
    last = output.splitlines()[-1]
    assert last.startswith("no Graphviz here, so no picture: install it")
    assert "plots/architecture.dot" in last
    assert not Path("runs").exists()


@pytest.mark.skipif(not shutil.which("dot"), reason="needs Graphviz (Debian: apt install graphviz)")
def test_the_picture(project):
    architecture.main()
    with Image.open("runs/architecture.png") as picture:
        assert min(picture.size) > 200


def test_what_graphviz_says_is_told(project, monkeypatch, tmp_path, fails):
    dot = tmp_path / "dot"
    dot.write_text("#!/bin/sh\necho syntax error >&2\nexit 1\n")
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert "failed: syntax error" in fails(architecture)
    assert not Path("runs/architecture.png").exists()

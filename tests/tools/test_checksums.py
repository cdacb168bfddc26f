import subprocess
import sys

import pytest

from tools import checksums


@pytest.mark.parametrize("files", [["one"], ["a/b", "a-b", "a/c/d", "A", "a.b/e", "ä"]])
def test_a_file_or_a_folder_has_the_checksum_that_dvc_gives_it(tmp_path, monkeypatch, files):
    monkeypatch.chdir(tmp_path)
    for name in files:
        place = tmp_path / "out" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name)
    out = "out" if len(files) > 1 else "out/one"
    for command in (["init", "--quiet", "--no-scm"], ["add", "--quiet", out]):
        subprocess.run([sys.executable, "-m", "dvc", *command], check=True, capture_output=True)
    assert f"md5: {checksums.md5(tmp_path / out)}\n" in (tmp_path / f"{out}.dvc").read_text()

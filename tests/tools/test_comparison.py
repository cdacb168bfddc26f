"""How the project of the comparison is made; with its stages: tests/test_comparison.py."""

from pathlib import Path

import pytest
from dvc.config import Config

from tools import comparison


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Gives the settings of the comparison's project for those of this one."""
    monkeypatch.chdir(tmp_path)

    def of(local, shared=""):
        Path(".dvc").mkdir()
        Path(".dvc/config").write_text(shared)
        Path(".dvc/config.local").write_text(local)
        comparison.configure(Path("runs/compare"))
        return Config(dvc_dir=str(tmp_path / "runs/compare/.dvc"))

    (tmp_path / "runs/compare").mkdir(parents=True)
    return of


def test_it_needs_no_git_and_shares_the_cache(settings, tmp_path):
    made = settings("")
    assert made["core"]["no_scm"]
    assert made["cache"]["dir"] == str(tmp_path / ".dvc/cache")


def test_it_has_the_remotes_also_those_of_a_relative_path(settings, tmp_path):
    shared = (
        "[core]\n    remote = near\n['remote \"near\"']\n    url = ../../near\n['remote \"far\"']\n    url = s3://far\n"
    )
    made = settings("['remote \"far\"']\n    endpointurl = http://localhost:1\n", shared)
    assert made["core"]["remote"] == "near"
    assert made["remote"]["near"]["url"] == str(tmp_path.parent / "near")
    assert made["remote"]["far"] == {"url": "s3://far", "endpointurl": "http://localhost:1"} | made["remote"]["far"]


def test_a_cache_elsewhere_is_shared_too(settings, tmp_path):
    made = settings("[cache]\n    dir = ../../cache\n    type = copy\n")
    assert made["cache"]["dir"] == str(tmp_path.parent / "cache")
    assert made["cache"]["type"] == ["copy"]

import subprocess

import pytest
from dvc.config import Config

from digits.core.errors import UserError
from tools import configure_dvc


@pytest.fixture
def folder(tmp_path, monkeypatch):
    place = tmp_path / "mein Projekt ä"
    (place / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(place)
    monkeypatch.setattr(configure_dvc.sys, "prefix", str(place))
    monkeypatch.setattr(configure_dvc.plots_page_template, "page", lambda: "the page of test_plots_page.py")
    return place


def settings(folder):
    configure_dvc.main()
    return Config(dvc_dir=str(folder / ".dvc")).read("local")


def test_the_site_cache_is_private_and_absolute(folder):
    assert settings(folder)["core"]["site_cache_dir"] == str(folder / ".dvc/site-cache")
    assert (folder / ".dvc/site-cache").stat().st_mode & 0o777 == 0o700


def test_the_page_of_plots_has_its_scripts_inside(folder):
    assert settings(folder)["plots"]["html_template"] == str(folder / "plots.html")
    assert (folder / "plots.html").read_text(encoding="utf-8") == "the page of test_plots_page.py"


def test_without_git_dvc_is_told_and_with_it_no_longer(folder):
    assert settings(folder)["core"]["no_scm"] == "True"
    subprocess.run(["git", "init", "--quiet"], check=True)
    assert "no_scm" not in settings(folder)["core"]


def test_what_somebody_else_has_set_stays(folder):
    (folder / ".dvc/config.local").write_text("[cache]\n    type = copy\n")
    assert settings(folder)["cache"]["type"] == "copy"


@pytest.mark.parametrize("content", ["[core\n", "[core]\n    no_such_key = 1\n"])
def test_a_broken_configuration_is_one_line(folder, content):
    (folder / ".dvc/config").write_text(content)
    with pytest.raises(UserError, match=r"mend \.dvc/config or \.dvc/config\.local by hand"):
        configure_dvc.main()

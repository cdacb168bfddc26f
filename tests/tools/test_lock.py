import re
import sys
import tomllib

import pytest

from digits.core.errors import UserError
from tests.conftest import ROOT
from tools import lock

LAYERS = [lock.BASE, *lock.ON_TOP]
FILES = {name: lock.blocks((ROOT / name).read_text()) for name in [*LAYERS, lock.INSTALLER]}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WISHES = {
    lock.BASE: PROJECT["project"]["dependencies"],
    **{f"requirements-{name}.lock": wishes for name, wishes in PROJECT["project"]["optional-dependencies"].items()},
    "requirements-dev.lock": PROJECT["dependency-groups"]["dev"],
    lock.INSTALLER: PROJECT["dependency-groups"]["install"],
}


def names(requirements):
    return {re.match(r"[\w.-]+", text)[0].lower().replace(".", "-") for text in requirements}


@pytest.mark.parametrize("name", FILES)
def test_a_lock_file_is_hashed_and_names_no_host(name):
    assert "://" not in (ROOT / name).read_text()
    assert all("--hash=sha256:" in lines and "==" in key for key, lines in FILES[name].items())


@pytest.mark.parametrize("name", FILES)
def test_a_lock_file_has_what_pyproject_asks_for(name):
    assert names(WISHES[name]) <= names(FILES[name]) | (names(FILES[lock.BASE]) if name in lock.ON_TOP else set())


def test_a_package_has_one_version():
    pins = {key.partition(" ;")[0] for name in LAYERS for key in FILES[name]}
    assert len(pins) == len(names(pins))


def test_a_lock_file_on_top_repeats_nothing():
    for name in lock.ON_TOP:
        assert not FILES[name].keys() & FILES[lock.BASE].keys()


def test_only_what_is_missing_is_on_top():
    base = {"a==1": "", "b==1 ; sys_platform == 'win32'": ""}
    wanted = {"a==1": "", "a==1 ; python_version < '3.12'": "", "b==1": "", "c==1": ""}
    assert list(lock.on_top(wanted, base)) == ["b==1", "c==1"]


def test_blocks_keep_their_lines():
    text = "a==1 \\\n    --hash=sha256:00\nb==2 ; os_name == 'nt' \\\n    --hash=sha256:11\n"
    assert lock.blocks(text) == {
        "a==1": "a==1 \\\n    --hash=sha256:00",
        "b==2 ; os_name == 'nt'": "b==2 ; os_name == 'nt' \\\n    --hash=sha256:11",
    }
    assert lock.blocks("") == {}


def test_without_uv_it_says_how_to_have_it(monkeypatch):
    monkeypatch.setattr(lock.shutil, "which", lambda *arguments, **options: None)
    with pytest.raises(UserError, match="no uv in this environment"):
        lock.resolve(["pyproject.toml"], {})


def test_what_uv_cannot_resolve_is_one_line(monkeypatch):
    monkeypatch.setattr(lock.shutil, "which", lambda *arguments, **options: sys.executable)
    with pytest.raises(UserError, match="uv finds no versions for pyproject") as failure:
        lock.resolve(["pyproject.toml"], {})
    assert "\n" not in str(failure.value)


def test_all_files_are_written_from_one_resolution(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["lock"])
    asked = []

    def resolve(wanted, preferred):
        asked.append((wanted, preferred))
        return {"a==1": "a==1"} if wanted == [lock.PROJECT] else {"a==1": "a==1", "b==1": "b==1"}

    monkeypatch.setattr(lock, "resolve", resolve)
    lock.main()
    assert asked[0] == ([lock.PROJECT, "--all-extras", "--group", "dev"], {})
    assert (tmp_path / "requirements.lock").read_text() == "a==1\n"
    assert all((tmp_path / name).read_text() == "b==1\n" for name in lock.ON_TOP)
    assert all(preferred for _, preferred in asked[1:-1])

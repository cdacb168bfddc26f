import sys

import pytest

from tools import install


class Commands(list):
    """The commands that are given, each with its environment; `failing` names the programs that fail."""

    def __init__(self):
        super().__init__()
        self.failing = set()


@pytest.fixture
def commands(monkeypatch):
    given = Commands()

    def failure_of(command, environment):
        given.append((command, environment))
        program = "uv" if command[0].endswith("uv") else command[2]
        return f"{program} is broken" if program in given.failing else ""

    monkeypatch.setattr(install, "failure_of", failure_of)
    monkeypatch.setattr(install, "pip_index", lambda: "file:///mirror")
    monkeypatch.setattr(sys, "argv", ["install", "requirements.lock"])
    return given


def test_uv_installs_hashed_files_and_compiles(commands, capsys):
    install.main()
    command, environment = commands[-1]
    assert command[0].endswith("uv")
    assert {"--compile-bytecode", "--require-hashes", "--no-deps", "requirements.lock"} <= set(command)
    assert environment["UV_DEFAULT_INDEX"] == "file:///mirror"
    assert capsys.readouterr().err == ""


def test_an_index_that_uv_is_given_wins(commands, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "file:///own")
    install.main()
    assert commands[-1][1]["UV_DEFAULT_INDEX"] == "file:///own"


def test_where_uv_fails_pip_installs_the_same(commands, capsys):
    commands.failing = {"uv"}
    install.main()
    command, _ = commands[-1]
    assert command[1:3] == ["-m", "pip"]
    assert {"--compile", "--require-hashes", "--no-deps", "requirements.lock"} <= set(command)
    assert capsys.readouterr().err == "uv cannot install here (uv is broken): pip does, which takes longer\n"


def test_where_both_fail_the_end_is_one_line(commands):
    commands.failing = {"uv", "pip"}
    with pytest.raises(SystemExit) as stop:
        install.main()
    assert stop.value.code.startswith("requirements.lock: pip is broken; check the network")


def test_the_build_with_cuda_replaces_the_one_without(commands, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["install", "requirements-gpu.lock"])
    install.main()
    assert commands[0][0][3:] == ["uninstall", "--quiet", "--yes", "tensorflow-cpu"]


def test_the_most_telling_line_is_shown():
    program = "import sys; sys.exit('warning: x\\nerror: no such host\\n  hint: y')"
    assert install.failure_of([sys.executable, "-c", program], {}) == "error: no such host"
    assert install.failure_of([sys.executable, "-c", "raise SystemExit(3)"], {}) == "status 3"
    assert install.failure_of([sys.executable, "-c", ""], {}) == ""
    assert install.failure_of(["/no/such/uv"], {}) == "/no/such/uv: No such file or directory"


def test_the_index_of_pip_is_found(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "file:///named")
    assert install.pip_index() == "file:///named"

import errno
import os
import signal
import subprocess
import sys

import pytest
import tensorflow as tf

from digits.core import errors
from tests.conftest import ROOT


def raising(error):
    def main():
        raise error

    return main


def test_a_user_error_becomes_one_line_and_status_1():
    with pytest.raises(SystemExit) as stop:
        errors.run(raising(errors.UserError("params.yaml: seed is missing")))
    assert stop.value.code == "test_errors: params.yaml: seed is missing"


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOENT, "dvc repro"),
        (errno.EACCES, "permission"),
        (errno.ENOSPC, "free some space"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENOMEM, "ulimit -v"),
        (errno.EIO, "disk"),
    ],
)
def test_a_failed_file_operation_names_the_file_and_the_way_out(number, advice):
    with pytest.raises(SystemExit) as stop:
        errors.run(raising(OSError(number, "what happened", "data/raw")))
    assert "data/raw: what happened; " in stop.value.code
    assert advice in stop.value.code


def test_tensorflows_own_errors_are_understood(tmp_path):
    with pytest.raises(tf.errors.OpError) as caught:
        tf.io.TFRecordWriter(str(tmp_path / "missing" / "file"))
    failure = errors.as_os_error(caught.value)
    assert (failure.errno, failure.filename) == (errno.ENOENT, str(tmp_path / "missing" / "file"))


def test_other_errors_are_no_file_operation():
    assert errors.as_os_error(ValueError("a; b")) is None


def test_an_interruption_is_one_line_and_status_130(capsys):
    with pytest.raises(SystemExit) as stop:
        errors.run(raising(KeyboardInterrupt()))
    assert stop.value.code == 130
    assert capsys.readouterr().err == "test_errors: interrupted; run the same command again to continue\n"


def test_too_little_memory_is_one_line():
    with pytest.raises(SystemExit) as stop:
        errors.run(raising(MemoryError()))
    assert stop.value.code.startswith("test_errors: not enough memory; close other programs")


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        errors.run(raising(ZeroDivisionError()))


def test_an_os_error_without_number_or_file_is_a_bug():
    with pytest.raises(OSError, match="odd"):
        errors.run(raising(OSError("odd")))


def test_a_package_that_is_run_is_named_and_not_its_main_file(tmp_path):
    package = tmp_path / "page"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "from digits.core import errors\ndef main():\n    raise errors.UserError('no model')\nerrors.run(main)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "page"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "page: no model\n"


def test_a_reader_that_has_enough_is_no_error(tmp_path):
    (tmp_path / "talker.py").write_text(
        "from digits.core import errors\n"
        "def main():\n    for line in range(100_000):\n        print(line)\n"
        "errors.run(main)\n"
    )
    done = subprocess.run(
        f"{sys.executable} talker.py | head -n 1",
        shell=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "0\n"
    assert not done.stderr


@pytest.mark.usefixtures("signals_heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_that_ends_a_program_gives_the_same_line(capsys, number):
    with pytest.raises(SystemExit) as stop:
        errors.run(lambda: signal.raise_signal(number))
    assert stop.value.code == 128 + number
    assert capsys.readouterr().err == "test_errors: interrupted; run the same command again to continue\n"


def test_a_signal_that_is_ignored_stays_ignored_and_handlers_come_back():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        errors.run(lambda: signal.raise_signal(signal.SIGHUP))
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    of_sigterm = signal.getsignal(signal.SIGTERM)
    errors.run(lambda: None)
    assert signal.getsignal(signal.SIGTERM) == of_sigterm


@pytest.mark.parametrize("char", ["\n", "\r", "\x1b[2J", "\x00", "\u2028", "\x85", "\udcff", "\t"])
def test_what_comes_from_outside_cannot_break_the_line(char):
    error = errors.UserError(f"runs/a{char}b: damaged")
    assert str(error).isprintable()
    assert str(error) == f"runs/a{char.encode('unicode_escape').decode()}b: damaged"
    failure = errors.explain(OSError(errno.ENOENT, "No such file or directory", f"a{char}b"))
    assert failure.isprintable()


def test_letters_of_any_language_stay_as_they_are():
    assert str(errors.UserError("Übung/数字: ≥ 95 %")) == "Übung/数字: ≥ 95 %"


@pytest.mark.parametrize("value", ["x" * 20_000, "\n" * 20_000, "\U0010ffff" * 990])
def test_a_long_value_is_cut_where_the_message_ends_with_the_way_out(value):
    text = str(errors.UserError(f"params.yaml: seed is {value}: give a number"))
    assert len(text) <= errors.LIMIT
    assert text.startswith("params.yaml: seed is ")
    assert " ... " in text
    assert text.endswith(": give a number")

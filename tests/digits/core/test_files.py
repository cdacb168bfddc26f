import errno
import hashlib
import json
import os
import subprocess
import time

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from digits.core import files
from digits.core.errors import UserError
from tests.fuzz.mutations import flips


def test_the_sha256_of_a_folder_is_that_of_its_files_in_order(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    assert files.sha256(tmp_path / "a") == hashlib.sha256(b"one").hexdigest()
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "inner" / "z").write_bytes(b"two")
    (tmp_path / "folder" / "b").write_bytes(b"one")
    assert files.sha256(tmp_path / "folder") == hashlib.sha256(b"onetwo").hexdigest()
    with pytest.raises(FileNotFoundError):
        files.sha256(tmp_path / "missing")


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with files.replacing(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["file.txt"]


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("before")

    def write_half():
        with files.replacing(path) as partial:
            partial.write_text("ha")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_directory_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "folder"
    for name in ("first", "second"):
        with files.replacing(path) as partial:
            partial.mkdir()
            (partial / name).touch()
    assert os.listdir(path) == ["second"]


def test_what_a_killed_run_left_does_not_disturb(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    leftover = tmp_path / f"partial-{dead.pid}-folder"
    leftover.mkdir()
    (leftover / "old").touch()
    with files.replacing(tmp_path / "folder") as partial:
        partial.mkdir()
    assert os.listdir(tmp_path) == ["folder"]


def test_what_another_process_is_writing_is_let_be(tmp_path):
    others = tmp_path / f"partial-{os.getppid()}-file.txt"
    others.write_text("half")
    with files.replacing(tmp_path / "file.txt") as partial:
        partial.write_text("whole")
    assert others.read_text() == "half"
    assert (tmp_path / "file.txt").read_text() == "whole"


def test_a_failed_write_is_reported_under_the_name_of_the_file(tmp_path):
    def fill_the_disk():
        with files.replacing(tmp_path / "file.txt") as partial:
            raise OSError(errno.ENOSPC, "No space left on device", str(partial))

    with pytest.raises(OSError, match="No space left") as caught:
        fill_the_disk()
    assert caught.value.filename == str(tmp_path / "file.txt")


def test_so_is_a_failed_write_of_tensorflow(tmp_path):
    def write_nowhere():
        with files.replacing(tmp_path / "folder") as partial:
            tf.io.TFRecordWriter(str(partial / "never-made" / "file"))

    with pytest.raises(OSError, match="No such file") as caught:
        write_nowhere()
    assert caught.value.filename == str(tmp_path / "folder")


def test_json_goes_there_and_back_with_floats_rounded(tmp_path):
    path = tmp_path / "metrics.json"
    files.write_json(path, {"accuracy": 1 / 3, "rows": [{"loss": 2 / 3}], "count": 3})
    assert files.read_json(path) == {"accuracy": 0.333333, "rows": [{"loss": 0.666667}], "count": 3}
    assert path.read_text().endswith("}\n")


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00"])
def test_damaged_json_is_named(tmp_path, content):
    path = tmp_path / "metrics.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"metrics\.json"):
        files.read_json(path)


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"a":' * 100_000, '{"a": ' + "9" * 5001 + "}", '{"a": NaN}', '{"a": -Infinity}', "\udcff"],
)
def test_hostile_json_is_one_readable_line(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"a\.json: not readable as JSON") as caught:
        files.read_json(path)
    assert len(str(caught.value)) < 500


def test_a_missing_key_is_named(tmp_path):
    files.write_json(tmp_path / "a.json", {"b": 1})
    assert files.read_json(tmp_path / "a.json", ["b"]) == {"b": 1}
    with pytest.raises(UserError, match=r"a\.json: holds no a, c; delete it"):
        files.read_json(tmp_path / "a.json", ["a", "b", "c"])


def test_csv_goes_there_and_back_as_text(tmp_path):
    path = tmp_path / "rows.csv"
    files.write_csv(path, [{"name": "a, b", "value": 1 / 3}, {"name": "c", "value": 2.0}])
    expected = [{"name": "a, b", "value": 0.333333}, {"name": "c", "value": 2.0}]
    assert files.read_csv(path, {"name": str, "value": float}) == expected


@pytest.mark.parametrize(
    "content", ["", "value\n", "name\na\n", "value\nabc\n", "value\n1\n\x002\n", f"value\n{'x' * 200_000}\n"]
)
def test_a_damaged_csv_is_named(tmp_path, content):
    path = tmp_path / "rows.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=r"rows\.csv"):
        files.read_csv(path, {"value": float})


def test_optional_columns_are_read_where_they_are(tmp_path):
    path = tmp_path / "rows.csv"
    files.write_csv(path, [{"name": "a", "value": 0.5, "framed": 0.25}])
    columns, optional = {"name": str, "value": float}, {"framed": float, "absent": int}
    assert files.read_csv(path, columns, optional) == [{"name": "a", "value": 0.5, "framed": 0.25}]
    assert files.read_csv(path, columns) == [{"name": "a", "value": 0.5}]
    files.write_csv(path, [{"name": "a", "value": 0.5}])
    assert files.read_csv(path, columns, optional) == [{"name": "a", "value": 0.5}]


def test_a_damaged_optional_column_is_named(tmp_path):
    path = tmp_path / "rows.csv"
    files.write_csv(path, [{"value": 0.5, "framed": "much"}])
    with pytest.raises(UserError, match=r"rows\.csv: damaged"):
        files.read_csv(path, {"value": float}, {"framed": float})


def test_arrays_go_there_and_back(tmp_path):
    files.write_arrays(tmp_path / "a.npz", {"a": np.arange(5), "b": np.eye(2)})
    read = files.read_arrays(tmp_path / "a.npz", ["a", "b"])
    np.testing.assert_array_equal(read["a"], np.arange(5))
    np.testing.assert_array_equal(read["b"], np.eye(2))


def flipped(content):
    """A changed byte within the compressed pixels, which only zlib notices."""
    return content[:60] + bytes([content[60] ^ 255]) + content[61:]


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b"nonsense", lambda b: b[:-30], lambda b: b[30:], flipped])
def test_damaged_arrays_are_named(tmp_path, damage):
    path = tmp_path / "a.npz"
    files.write_arrays(path, {"a": np.arange(5)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"a\.npz: damaged"):
        files.read_arrays(path, [])


def test_a_changed_bit_of_arrays_is_noticed(tmp_path):
    # Of the sparse one NumPy alone reads other numbers, where a bit of its compressed shape changes.
    path = tmp_path / "a.npz"
    sparse = (np.random.default_rng(1).random((200, 50)) < 0.02).astype(np.float32)
    files.write_arrays(path, {"a": sparse, "b": np.zeros(3000)})
    for _, damaged in flips(path.read_bytes(), 1000):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"a\.npz: damaged"):
            files.read_arrays(path, [])


def test_numpy_alone_reads_arrays(tmp_path):
    files.write_arrays(tmp_path / "a.npz", {"a": np.arange(5)})
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["a"], np.arange(5))


class Boom:
    """Runs a command where it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch hacked",)


def test_objects_in_arrays_are_not_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_arrays(tmp_path / "a.npz", {"a": np.array([Boom()], object)})
    with pytest.raises(UserError, match=r"a\.npz: no arrays \(Object arrays cannot be loaded"):
        files.read_arrays(tmp_path / "a.npz", ["a"])
    assert not (tmp_path / "hacked").exists()


def test_a_missing_array_is_named(tmp_path):
    files.write_arrays(tmp_path / "a.npz", {"a": np.arange(5)})
    with pytest.raises(UserError, match=r"a\.npz: holds no b, c; "):
        files.read_arrays(tmp_path / "a.npz", ["a", "b", "c"])


def test_no_number_is_no_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"loss": float("nan")})


def picture() -> Figure:
    figure = Figure()
    figure.subplots().plot([1, 2])
    return figure


@pytest.mark.parametrize(
    "write",
    [
        lambda path: files.write_arrays(path, {"a": np.arange(5), "b": np.eye(2)}),
        lambda path: files.write_figure(path, picture()),
    ],
    ids=["arrays", "figure"],
)
def test_the_bytes_do_not_depend_on_the_time(tmp_path, monkeypatch, write):
    write(tmp_path / "first")
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)  # by which a zip archive dates its members
    write(tmp_path / "second")
    content = (tmp_path / "first").read_bytes()
    assert content == (tmp_path / "second").read_bytes()
    assert not any(word in content for word in (b"tIME", b"Date", b"date")), "as a picture may say it"


def test_the_json_is_standard(tmp_path):
    files.write_json(tmp_path / "a.json", {"é": 1})
    assert json.loads((tmp_path / "a.json").read_bytes()) == {"é": 1}


def test_text_is_utf_8_as_it_is(tmp_path):
    files.write_text(tmp_path / "a.txt", "é ±\n")
    assert (tmp_path / "a.txt").read_bytes() == "é ±\n".encode()

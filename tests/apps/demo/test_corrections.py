import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from apps import limits
from apps.demo import corrections
from digits.core.errors import UserError

SHEET = np.full((280, 280), 255, np.uint8)
SHEET[100:180, 130:150] = 0


def lines(folder):
    return [json.loads(line) for line in (folder / corrections.INDEX).read_text().splitlines()]


def test_the_picture_and_what_was_said_are_kept(tmp_path):
    folder = tmp_path / "data" / "drawn"
    path = corrections.save(folder, SHEET, "1", {"answer": "7"})
    assert path.parent == folder
    assert lines(folder) == [{"file": path.name, "label": "1", "answer": "7"}]
    [(name, picture, label)] = corrections.read(folder)
    assert (name, label) == (path.name, "1")
    assert np.array_equal(picture, SHEET)


def test_what_is_no_digit_has_no_label(tmp_path):
    corrections.save(tmp_path, SHEET, None, {})
    assert corrections.read(tmp_path)[0][2] is None


def test_the_same_drawing_again_replaces_what_was_said(tmp_path):
    corrections.save(tmp_path, SHEET, "1", {})
    corrections.save(tmp_path, 255 - SHEET, "2", {})
    corrections.save(tmp_path, SHEET, "7", {})
    assert [label for _, _, label in corrections.read(tmp_path)] == ["7", "2"]
    assert len(list(tmp_path.glob("*.png"))) == 2


# The details come from the browser.
def test_details_change_neither_file_nor_label(tmp_path):
    path = corrections.save(tmp_path, SHEET, "1", {"file": "../../secret.png", "label": "9"})
    assert lines(tmp_path) == [{"file": path.name, "label": "1"}]


def test_two_at_once_lose_nothing(tmp_path):
    sheets = [np.full((10, 10), shade, np.uint8) for shade in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda sheet: corrections.save(tmp_path, sheet, "1", {}), sheets))
    assert len(lines(tmp_path)) == len(corrections.read(tmp_path)) == 40
    assert not list(tmp_path.glob("partial-*"))


def test_there_is_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "KEPT_DRAWINGS", 1)
    corrections.save(tmp_path, SHEET, "1", {})
    corrections.save(tmp_path, SHEET, "7", {})  # the same one
    with pytest.raises(UserError, match="full"):
        corrections.save(tmp_path, 255 - SHEET, "1", {})
    assert len(list(tmp_path.glob("*.png"))) == 1


def test_they_take_only_so_many_bytes(tmp_path, monkeypatch):
    corrections.save(tmp_path, SHEET, "1", {})
    held = sum(file.stat().st_size for file in tmp_path.iterdir())
    monkeypatch.setattr(limits, "KEPT_BYTES", 2 * held)
    with pytest.raises(UserError, match="1 drawings, 0 MB; move them elsewhere"):
        corrections.save(tmp_path, 255 - SHEET, "2", {"strokes": [7] * held})
    corrections.save(tmp_path, SHEET, "7", {})

    def save_again():
        for _ in range(held):
            corrections.save(tmp_path, SHEET, "7", {})

    with pytest.raises(UserError, match="full"):  # the same drawing takes a line each time
        save_again()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2 * held
    assert [label for _, _, label in corrections.read(tmp_path)] == ["7"]


def test_the_index_is_appended_to(tmp_path):
    corrections.save(tmp_path, SHEET, "1", {})
    before = (tmp_path / corrections.INDEX).read_bytes()
    inode = (tmp_path / corrections.INDEX).stat().st_ino
    corrections.save(tmp_path, 255 - SHEET, "2", {})
    assert (tmp_path / corrections.INDEX).read_bytes().startswith(before)
    assert (tmp_path / corrections.INDEX).stat().st_ino == inode


def test_a_line_that_was_cut_off_does_not_swallow_the_next(tmp_path):
    corrections.save(tmp_path, SHEET, "1", {})
    index = tmp_path / corrections.INDEX
    index.write_bytes(index.read_bytes() + b'{"file": "a')
    corrections.save(tmp_path, 255 - SHEET, "2", {})
    with pytest.raises(UserError, match="line 2: damaged"):
        corrections.read(tmp_path)
    kept = index.read_bytes().splitlines(keepends=True)
    index.write_bytes(kept[0] + kept[2])
    assert [label for _, _, label in corrections.read(tmp_path)] == ["1", "2"]


def test_without_any_it_is_told_how_to_make_some(tmp_path):
    with pytest.raises(UserError, match="make demo"):
        corrections.read(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "7",
        "null",
        "[]",
        "[" * 100_000,
        '{"file": 7, "label": "1"}',
        '{"file": [], "label": "1"}',
        '{"file": "a.png"}',
        '{"label": "1"}',
    ],
)
def test_a_damaged_line_is_named(tmp_path, line):
    corrections.save(tmp_path, SHEET, "1", {})
    with (tmp_path / corrections.INDEX).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match="line 2"):
        corrections.read(tmp_path)


def test_a_damaged_picture_is_told(tmp_path):
    path = corrections.save(tmp_path, SHEET, "1", {})
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(UserError, match="no readable image"):
        corrections.read(tmp_path)

import json
import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from apps import predict
from digits.core import errors, paths
from digits.serving.predictor import Predictor
from tests.digits.conftest import CLASSES, exported, network  # noqa: F401  # fixtures


@pytest.fixture
def images(tmp_path):
    """Two strokes, one of them light on dark, an empty page, and a text."""
    picture = np.full((60, 60), 255, np.uint8)
    Image.fromarray(picture).save(tmp_path / "empty.png")
    picture[8:52, 28:33] = 0
    Image.fromarray(picture).save(tmp_path / "stroke.png")
    Image.fromarray(255 - picture).save(tmp_path / "light.bmp")
    (tmp_path / "notes.png").write_text("no image")
    return tmp_path


@pytest.fixture
def run(exported, monkeypatch, capsys):  # noqa: F811
    """The command line with these arguments: its status, its lines and those on stderr."""

    def call(*arguments):
        monkeypatch.chdir(exported)
        monkeypatch.setattr(sys, "argv", ["predict", *map(str, arguments)])
        status = 0
        message = None
        try:
            errors.run(predict.main)
        except SystemExit as stop:
            message = stop.code
            status = 1 if isinstance(message, str) else stop.code
        output = capsys.readouterr()
        return status, output.out.splitlines(), output.err.splitlines() + ([message] if status == 1 else [])

    return call


def test_a_line_a_file(run, images):
    files = [images / name for name in ("stroke.png", "light.bmp", "empty.png")]
    status, lines, problems = run(*files)
    assert (status, problems) == (0, [])
    assert [line.partition(": ")[0] for line in lines] == [str(file) for file in files]
    stroke, light, empty = (line.partition(": ")[2] for line in lines)
    assert stroke == light
    assert empty == "nothing drawn"


def test_a_name_that_is_no_utf8_is_written_as_python_writes_it(run, images):
    name = images / os.fsdecode(b"caf\xe9.png")
    (images / "stroke.png").rename(name)
    status, (line,), problems = run(name)
    assert (status, problems) == (0, [])
    assert line.startswith(f"{images}/caf\\udce9.png: ")


def test_after_a_bad_file_it_goes_on_and_ends_with_status_1(run, images):
    status, lines, problems = run(images / "notes.png", images / "missing.png", images / "stroke.png")
    assert status == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"{images / 'stroke.png'}: ")
    assert problems[0].startswith(f"{images / 'notes.png'}: no readable image; PNG, JPEG")
    assert problems[1] == f"{images / 'missing.png'}: No such file or directory"
    assert problems[2] == "predict: 2 of 3 files could not be read"


@pytest.mark.parametrize("model", [paths.LITERT_INT8, paths.ONNX])
def test_json_and_another_model(run, images, model):
    status, lines, _ = run("--json", "--model", model, images / "stroke.png", images / "empty.png")
    assert status == 0
    stroke, empty = map(json.loads, lines)
    assert stroke["file"] == str(images / "stroke.png")
    assert list(stroke["probabilities"]) == CLASSES
    assert sum(stroke["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    if stroke["verdict"] in ("sure", "not sure"):
        assert stroke["digit"] == max(stroke["probabilities"], key=stroke["probabilities"].get)
    else:
        assert stroke["digit"] is None
    assert empty == {
        "file": str(images / "empty.png"),
        "verdict": "nothing drawn",
        "digit": None,
        "probabilities": {},
        "boxes": [],
    }


@pytest.fixture
def strokes(images):
    """Three strokes in a row, the middle one the thickest."""
    picture = np.full((200, 400), 255, np.uint8)
    for left, width in ((60, 20), (160, 40), (300, 20)):
        picture[40:160, left : left + width] = 0
    Image.fromarray(picture).save(images / "three.png")
    return images / "three.png"


def test_several_digits_are_told_with_their_boxes(run, strokes):
    assert run(strokes) == (0, [f"{strokes}: several digits"], [])
    _, [line], _ = run("--json", strokes)
    told = json.loads(line)
    assert (told["verdict"], told["digit"], told["probabilities"]) == ("several digits", None, {})
    assert [box[0] for box in told["boxes"]] == pytest.approx([160 / 400, 60 / 400, 300 / 400], abs=0.01)


def test_each_digit_is_read_from_left_to_right(run, exported, strokes, images):  # noqa: F811
    status, [three, one, empty], problems = run("--each", strokes, images / "stroke.png", images / "empty.png")
    assert (status, problems) == (0, [])
    stroke = run(images / "stroke.png")[1][0]
    assert one == stroke
    answers = Predictor(exported / paths.LITERT, exported / paths.ABOUT).each(np.asarray(Image.open(strokes)))
    assert len(answers) == 3
    assert three == f"{strokes}: {', '.join(map(str, answers))}"
    assert empty == f"{images / 'empty.png'}: nothing drawn"


def test_each_digit_as_json(run, strokes, images):
    status, lines, _ = run("--each", "--json", strokes, images / "stroke.png", images / "empty.png")
    assert status == 0
    three, one, empty = map(json.loads, lines)
    assert set(three) == {"file", "digits"}
    assert [answer["boxes"][0][0] for answer in three["digits"]] == pytest.approx([0.15, 0.4, 0.75], abs=0.01)
    assert all(list(answer["probabilities"]) == CLASSES for answer in three["digits"])
    assert [answer["boxes"] for answer in one["digits"]] == [[[0.0, 0.0, 1.0, 1.0]]]
    assert empty == {"file": str(images / "empty.png"), "digits": []}


def test_without_a_model_a_line_says_what_to_do(run, images, tmp_path, monkeypatch):
    status, lines, problems = run("--model", tmp_path / "model.onnx", images / "stroke.png")
    assert (status, lines) == (1, [])
    assert len(problems) == 1
    assert "about.json: No such file or directory; run `dvc repro`" in problems[0]


def test_an_endless_file_is_read_as_far_as_needed(run):
    status, lines, problems = run("/dev/zero")
    assert (status, lines) == (1, [])
    assert problems[0] == "/dev/zero: a file of over 8 MB; at most 8 MB are read"


def test_a_swapped_model_is_refused_by_name_unless_it_is_allowed(run, exported, images, tmp_path):  # noqa: F811
    models = tmp_path / "elsewhere"
    shutil.copytree(exported / "models", models)
    shutil.copy(models / "model_int8.tflite", models / "model.tflite")
    status, lines, problems = run("--model", models / "model.tflite", images / "stroke.png")
    assert (status, lines) == (1, [])
    assert problems[0].startswith(f"predict: {models / 'model.tflite'}: damaged, or another file than was measured")
    status, lines, _ = run("--allow", "--model", models / "model.tflite", images / "stroke.png")
    assert (status, len(lines)) == (0, 1)

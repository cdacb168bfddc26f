import shutil
import zipfile

import pytest

from digits.core import paths
from digits.core.errors import UserError
from digits.export import backends, formats
from digits.models import keras_file, provenance
from tests.digits.conftest import frames

RECORD = {"recipe": "tiny", "seed": 1, "parameters": {"rate": 0.1, "units": [8, None]}, "versions": {"keras": "3"}}
WRITE = {
    "model.keras": keras_file.save,
    "saved_model": formats.write_saved_model,
    "model.tflite": formats.write_litert,
    "model_int8.tflite": lambda path, model, record: formats.write_litert_int8(path, model, frames(50), record),
    "model.onnx": formats.write_onnx,
}


@pytest.mark.parametrize("name", WRITE)
def test_each_format_keeps_the_record_and_runs_as_before(exported, network, tmp_path, name):
    path = tmp_path / name
    WRITE[name](path, network, RECORD)
    assert provenance.read(path) == RECORD
    images = frames(5)
    if name != "model_int8.tflite":  # which other images calibrated
        expected = backends.load(exported / "models" / name)(images)
        assert (backends.load(path)(images) == expected).all()
    else:
        assert backends.load(path)(images).shape == (5, 10)


@pytest.mark.parametrize("file", [paths.MODEL, paths.SAVED_MODEL, paths.LITERT, paths.ONNX], ids=lambda path: path.name)
def test_a_file_without_a_record_is_told(exported, file):
    with pytest.raises(UserError, match=rf"{file.name}: holds no record of its training"):
        provenance.read(exported / file)


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model.tflite", "model.onnx"])
def test_what_is_no_model_is_told(tmp_path, name):
    (tmp_path / name).write_bytes(b"nonsense" * 10)
    with pytest.raises(UserError, match="holds no record of its training"):
        provenance.read(tmp_path / name)


def test_a_missing_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        provenance.read(tmp_path / "model.keras")


def test_the_bytes_of_a_litert_file_stay_in_front_and_are_the_same_each_time(exported, tmp_path):
    for name in ("first.tflite", "second.tflite"):
        shutil.copy(exported / paths.LITERT, tmp_path / name)
        provenance.append(tmp_path / name, RECORD)
    content = (tmp_path / "first.tflite").read_bytes()
    assert content == (tmp_path / "second.tflite").read_bytes()
    assert content.startswith((exported / paths.LITERT).read_bytes())
    with zipfile.ZipFile(tmp_path / "first.tflite") as archive:
        assert archive.namelist() == ["provenance.json"]

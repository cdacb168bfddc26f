import numpy as np
import pytest

from digits.core import paths
from digits.export import backends, parity
from digits.splits.split import Split
from tests.digits.conftest import frames


def test_models_are_compared_with_the_first(monkeypatch, tmp_path):
    images = np.arange(8, dtype=np.uint8).reshape(8, 1, 1, 1)
    answers = {
        "first": lambda x: np.where(x.reshape(-1, 1) < 4, [[0.9, 0.1]], [[0.2, 0.8]]),
        "second": lambda x: np.where(x.reshape(-1, 1) < 6, [[0.6, 0.4]], [[0.2, 0.8]]),
    }
    asked = []

    def load(path, threads):
        asked.append(threads)
        return answers[path.name]

    monkeypatch.setattr(backends, "load", load)
    monkeypatch.setattr(parity, "BATCH", 3)
    files = [tmp_path / name for name in answers]
    for file, length in zip(files, (100, 7), strict=True):
        file.write_bytes(bytes(length))
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 0])
    assert parity.measure(files, Split(images, labels), threads=3) == {
        "first": {"agreement": 1.0, "max_difference": 0.0, "accuracy": 7 / 8, "bytes": 100},
        "second": {"agreement": 6 / 8, "max_difference": pytest.approx(0.4), "accuracy": 5 / 8, "bytes": 7},
    }
    assert asked == [3, 3]


def test_the_exported_files_agree(exported, network, monkeypatch):
    monkeypatch.setattr(parity, "BATCH", 32)  # and a rest
    images = frames(70)
    labels = network.predict(images, verbose=0).argmax(axis=1)
    files = [exported / path for path in (paths.MODEL, paths.SAVED_MODEL, paths.LITERT, paths.LITERT_INT8, paths.ONNX)]
    rows = parity.measure(files, Split(images, labels), threads=2)
    assert list(rows) == [file.name for file in files]
    for name, row in rows.items():
        assert row["bytes"] == parity.size(exported / "models" / name) > 1000
        if "int8" not in name:
            assert row["agreement"] == row["accuracy"] == 1
            assert row["max_difference"] < 1e-5
    assert rows["model_int8.tflite"]["agreement"] > 0.9
    assert rows["model_int8.tflite"]["bytes"] < rows["model.tflite"]["bytes"]


def test_the_size_of_a_folder_is_that_of_all_files_in_it(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "one").write_bytes(bytes(5))
    (tmp_path / "inner" / "two").write_bytes(bytes(7))
    assert parity.size(tmp_path) == 12
    assert parity.size(tmp_path / "one") == 5

import shutil
import subprocess
import sys

import numpy as np
import pytest

from digits.core import paths
from digits.core.errors import UserError
from digits.export import backends
from tests.conftest import ROOT
from tests.digits.conftest import frames

FILES = [paths.MODEL, paths.SAVED_MODEL, paths.LITERT, paths.LITERT_INT8, paths.ONNX]
by_name = pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)


@by_name
def test_any_number_of_images_one_after_the_other(exported, file):
    run = backends.load(exported / file)
    images = frames(9)
    at_once = run(images)
    assert at_once.shape == (9, 10)
    assert at_once.dtype == np.float32
    # LiteRT's memory is laid out anew for each size; what was answered before must not change with it.
    parts = [run(images[:1]), run(images[1:5]), run(images[5:])]
    np.testing.assert_allclose(np.concatenate(parts), at_once, atol=1e-6)
    np.testing.assert_allclose(at_once, run(images), atol=1e-6)


@by_name
def test_the_threads_do_not_matter(exported, file):
    images = frames(5)
    one, four = (backends.load(exported / file, threads)(images) for threads in (1, 4))
    np.testing.assert_allclose(one, four, atol=1e-6)


@by_name
def test_the_images_stay_as_they_were(exported, file):
    images = frames(3)
    before = images.copy()
    images.setflags(write=False)
    backends.load(exported / file)(images)
    np.testing.assert_array_equal(images, before)


@by_name
def test_a_damaged_file_is_named_with_the_way_out(exported, tmp_path, file):
    path = tmp_path / file.name
    if (exported / file).is_dir():
        shutil.copytree(exported / file, path)
        (path / "saved_model.pb").write_bytes(b"nonsense")
    else:
        path.write_bytes(b"nonsense" * 100)
    with pytest.raises(UserError, match=r"not readable as .*; run `dvc repro -f (export|train)`") as caught:
        backends.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@by_name
def test_a_missing_file_is_the_systems_error(tmp_path, file):
    with pytest.raises(FileNotFoundError) as caught:
        backends.load(tmp_path / file)
    assert caught.value.filename == str(tmp_path / file)


@pytest.mark.parametrize("name", ["model.h5", "model", "README.md"])
def test_what_is_no_model_is_told_what_can_be_run(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"no model file; these can be run: \.keras, \.tflite, \.onnx, or the folder"):
        backends.load(tmp_path / name)


WITHOUT = """
import sys
from pathlib import Path
import numpy as np
from digits.export import backends
for name in sys.argv[2:]:
    backends.load(Path(sys.argv[1]) / name)(np.zeros((1, 28, 28, 1), np.uint8))
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""


def test_litert_and_onnx_do_without_tensorflow(exported):
    files = [str(path) for path in (paths.LITERT, paths.LITERT_INT8, paths.ONNX)]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(exported), *files], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

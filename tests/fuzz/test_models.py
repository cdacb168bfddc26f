"""Single changed bits in model files: read as before, or refused in one line, never as another network."""

import numpy as np
import pytest

from digits.core import paths
from digits.core.errors import UserError
from digits.models import keras_file
from digits.serving.predictor import Predictor
from tests.digits.conftest import exported, frames  # noqa: F401  # a fixture
from tests.fuzz.mutations import flips

pytestmark = pytest.mark.fuzz

IMAGES = frames(4)


def test_keras_files(exported, tmp_path):  # noqa: F811
    content, path = (exported / paths.MODEL).read_bytes(), tmp_path / "model.keras"
    expected = keras_file.probabilities(keras_file.load(exported / paths.MODEL), IMAGES)
    refused = 0
    for bit, damaged in flips(content, 500):
        path.write_bytes(damaged)
        try:
            found = keras_file.probabilities(keras_file.load(path), IMAGES)
        except UserError:
            refused += 1
        else:
            np.testing.assert_array_equal(found, expected, err_msg=f"bit {bit}")
    assert refused > 250


@pytest.mark.parametrize("file", [paths.LITERT, paths.LITERT_INT8, paths.ONNX, paths.MODEL], ids=lambda path: path.name)
def test_every_changed_bit_is_refused_where_answers_are_given(exported, tmp_path, file):  # noqa: F811
    content, path = (exported / file).read_bytes(), tmp_path / file.name
    (tmp_path / paths.FORMATS.name).write_bytes((exported / paths.FORMATS).read_bytes())
    for _, damaged in flips(content, 2000):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="damaged, or another file than was measured"):
            Predictor(path, exported / paths.ABOUT)

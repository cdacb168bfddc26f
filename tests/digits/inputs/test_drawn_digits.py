import numpy as np
import pytest

from digits.core.errors import UserError
from digits.drawing import strokes
from digits.drawing.strokes import Drawing
from digits.inputs import drawn_digits
from digits.splits.split import Split
from tests.conftest import ROOT


def line(label):
    return Drawing(label, "", (60, 80), 5.0, (np.array([[30.0, 10.0], [30.0, 70.0]]),))


@pytest.mark.parametrize(
    ("classes", "shape", "takes"),
    [
        ([str(digit) for digit in range(10)], (28, 28, 1), True),
        (tuple("0123456789"), [28, 28, 1], True),
        ([str(digit) for digit in range(10)], (8, 8, 1), False),
        ([str(digit) for digit in range(10)], (28, 28, 3), False),
        (["zero", "one"], (28, 28, 1), False),
        ([str(digit) for digit in range(9, -1, -1)], (28, 28, 1), False),
        (list("abcdefghij"), (28, 28, 1), False),
    ],
)
def test_drawings_are_for_networks_of_the_ten_digits_alone(classes, shape, takes):
    assert drawn_digits.takes_drawings(classes, shape) is takes


def test_what_holds_nothing_is_a_black_frame():
    ink = np.full((20, 20), 255, np.uint8)
    ink[5:15, 9:12] = 0
    found = drawn_digits.framed([np.zeros((9, 9), np.uint8), ink])
    assert found.shape == (2, 28, 28, 1)
    assert found[0].max() == 0
    assert found[1].max() == 255


def test_drawings_of_digits_and_of_others_are_kept_apart():
    drawings = [line(1), line(None), line(7), line(None), line(0)]
    split = drawn_digits.drawn(drawings)
    assert split.labels.tolist() == [1, 7, 0]
    assert split.labels.dtype == np.int64
    assert split.images.shape == (3, 28, 28, 1)
    assert drawn_digits.no_digits(drawings).shape == (2, 28, 28, 1)


TEN = [str(digit) for digit in range(10)]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Some of the drawings of a committed file, four of each digit."""
    found = strokes.read(ROOT / "drawings/validation.json")
    four = [drawing for digit in range(10) for drawing in [one for one in found if one.label == digit][::7][:4]]
    path = tmp_path_factory.mktemp("drawings") / "some.json"
    path.write_text(strokes.dump(four))
    return path


def black(count):
    return Split(np.zeros((count, 28, 28, 1), np.uint8), np.arange(count) % 10)


def test_drawings_are_added_as_a_share_and_equally_often(file):
    split = drawn_digits.with_drawings(black(120), file, 0.5, classes=TEN, seed=1)
    assert len(split) == 180
    assert not split.images[:120].any()
    _, counts = np.unique(split.images[120:], axis=0, return_counts=True)
    assert set(counts) == {1, 2}, "40 drawings, 60 places"
    assert split.digest() == drawn_digits.with_drawings(black(120), file, 0.5, classes=TEN, seed=1).digest()
    assert split.digest() != drawn_digits.with_drawings(black(120), file, 0.5, classes=TEN, seed=2).digest()


def test_without_a_share_the_file_is_not_read(tmp_path):
    split = black(3)
    assert drawn_digits.with_drawings(split, tmp_path / "none.json", 0, classes=TEN, seed=1) is split


def test_drawings_go_with_digits_of_their_shape_only(file):
    with pytest.raises(UserError, match="drawing_share: drawings go with the ten digits in 28x28 pixels only"):
        drawn_digits.with_drawings(black(3), file, 0.5, classes=list("abcdefghij"), seed=1)

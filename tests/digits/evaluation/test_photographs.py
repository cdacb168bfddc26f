from pathlib import Path

import numpy as np
import pytest

from digits.drawing import strokes
from digits.evaluation import photographs

ALL = photographs.CHOOSING | photographs.MEASURING


@pytest.fixture(scope="module")
def drawings():
    return strokes.read(Path("drawings/validation.json"))


def test_choosing_and_measuring_share_no_scenario():
    assert not photographs.CHOOSING.keys() & photographs.MEASURING.keys()
    assert not {repr(steps) for steps in photographs.CHOOSING.values()} & set(map(repr, photographs.MEASURING.values()))


@pytest.mark.parametrize("name", ALL)
def test_a_picture_of_each_scenario_shows_the_digit(name, drawings):
    taken = list(photographs.pictures({name: ALL[name]}, drawings, 10, 1))
    assert [label for _, label, _ in taken] == list(range(10))
    for _, _, picture in taken:
        assert picture.dtype == np.uint8
        assert picture.shape[2] == (4 if name in ("cut-out", "window") else 3)
        height, width = picture.shape[:2]
        middle = picture[height // 3 : -height // 3, width // 4 : -width // 4, :3].astype(int)
        assert np.ptp(middle) > 60, "nothing is drawn"


def test_the_same_seed_gives_the_same_pictures(drawings):
    some = {name: photographs.MEASURING[name] for name in ("lamp", "sticky note")}
    first, second = (list(photographs.pictures(some, drawings, 3, 5)) for _ in range(2))
    for (name, label, picture), again in zip(first, second, strict=True):
        assert (name, label) == again[:2]
        np.testing.assert_array_equal(picture, again[2])
    other = list(photographs.pictures(some, drawings, 3, 6))
    assert (first[0][2] != other[0][2]).any()
    alone = list(photographs.pictures({"lamp": some["lamp"]}, drawings, 3, 5))
    np.testing.assert_array_equal(alone[2][2], first[2][2])


def test_a_shadow_takes_its_share_of_the_light(drawings):
    page = photographs.Page(grain=0)
    digit = next(drawing for drawing in drawings if drawing.label == 1)
    lit, shaded = (
        photographs.take(digit, (page, steps), np.random.default_rng(3))
        for steps in ((), (photographs.shadow(0.4, 0.01),))
    )
    ratio = shaded.astype(float) / np.maximum(lit, 1)
    paper = lit.min(axis=-1) > 200
    assert ratio[paper].min() == pytest.approx(0.6, abs=0.01)
    assert ratio[paper].max() == pytest.approx(1, abs=0.01)

import itertools

import pytest

from tools import alphabets
from tools.drawings import path

DIGITS = {"validation": alphabets.VALIDATION, "test": alphabets.TEST}
OTHERS = {"validation": alphabets.NO_DIGITS_VALIDATION, "test": alphabets.NO_DIGITS_TEST}


def paths_of(name):
    return [text for styles in DIGITS[name].values() for text in styles.values()] + list(OTHERS[name].values())


def points_of(text):
    return text.replace(" / ", " ").split()


def test_the_two_alphabets_share_no_path():
    assert not set(paths_of("validation")) & set(paths_of("test"))
    assert not set(OTHERS["validation"]) & set(OTHERS["test"]), "nor a thing that is no digit"


@pytest.mark.parametrize("name", list(DIGITS))
def test_no_path_stands_twice(name):
    assert len(set(paths_of(name))) == len(paths_of(name))


@pytest.mark.parametrize("digit", [str(digit) for digit in range(10)])
def test_no_path_is_another_alphabets_with_a_point_or_two_moved(digit):
    for mine, theirs in itertools.product(DIGITS["validation"][digit].values(), DIGITS["test"][digit].values()):
        shared = set(points_of(mine)) & set(points_of(theirs))
        assert len(shared) <= len(set(points_of(mine))) / 2, (mine, theirs)


@pytest.mark.parametrize("name", list(DIGITS))
def test_all_ten_digits_are_there_in_several_ways(name):
    assert list(DIGITS[name]) == [str(digit) for digit in range(10)]
    assert all(len(styles) >= 2 for styles in DIGITS[name].values())
    assert all(len(DIGITS[name][digit]) >= 3 for digit in "1479"), "these people write most differently"


@pytest.mark.parametrize("name", list(DIGITS))
def test_sevens_with_and_without_a_bar_and_fours_open_and_closed(name):
    strokes = {digit: {len(path(text)) for text in styles.values()} for digit, styles in DIGITS[name].items()}
    for digit in "147":
        assert {1, 2} <= strokes[digit]


@pytest.mark.parametrize("name", list(DIGITS))
def test_every_path_can_be_drawn_in_its_box(name):
    for text in paths_of(name):
        numbers = [float(value) for point in points_of(text) for value in point.split(",")]
        assert 0 <= min(numbers) <= max(numbers) <= 100
        for stroke in path(text):
            assert len(stroke) >= 2
            assert stroke.min() > -0.25
            assert stroke.max() < 1.25

import pytest

from digits.core import text


@pytest.mark.parametrize(
    ("probability", "expected"),
    [(0, "0.0%"), (0.0004, "0.0%"), (0.985, "98.5%"), (0.999, "99.9%"), (0.9991, ">99.9%"), (1, ">99.9%")],
)
def test_rounding_never_makes_certain(probability, expected):
    assert text.percent(probability) == expected

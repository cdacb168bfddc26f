import pytest

from digits.core.errors import UserError
from tools.review import gate
from tools.review.figures import compared


def test_the_tolerances_name_headline_figures(tmp_path, monkeypatch):
    assert gate.tolerances()["accuracy"] < 0.01
    monkeypatch.setattr(gate, "TOLERANCES", tmp_path / "tolerances.yaml")
    gate.TOLERANCES.write_text("acuracy: 0.1\n")
    with pytest.raises(UserError, match="unknown figure acuracy; there are accuracy, "):
        gate.tolerances()


def test_a_figure_may_become_so_much_worse_and_no_more(make_side):
    base, this = make_side("base", mistakes=range(10)), make_side("this", mistakes=range(12))
    assert gate.objections(compared(base, this), {"accuracy": 0.03}) == []
    (line,) = gate.objections(compared(base, this), {"accuracy": 0.01})
    assert line.startswith("test accuracy: -2.00 points is worse than the 0.01 allowed; 0 images gained, 2 lost")
    assert gate.objections(compared(this, base), {"accuracy": 0}) == [], "better is never too much"


def test_exactly_what_is_allowed_passes(make_side):
    for right in range(9900, 9990):
        base, this = (
            make_side(name, headline={"accuracy": count / 10_000})
            for name, count in (("base", right), ("this", right - 10))
        )
        assert gate.objections(compared(base, this), {"accuracy": 0.001}) == []


def test_counts_by_their_share(make_side):
    base, this = make_side("base"), make_side("this", headline={"int8_bytes": 2300})
    assert gate.objections(compared(base, this), {"int8_bytes": 0.2}) == []
    (line,) = gate.objections(compared(base, this), {"int8_bytes": 0.1})
    assert line == "size of the int8 model: +15.0% is worse than the 10% allowed; +15.0%"


def test_what_cannot_be_compared_does_not_pass(make_side):
    lines = gate.objections(compared(make_side("base"), make_side("this", data=None)), {"accuracy": 1, "loss": 1})
    assert lines == [
        "test accuracy: not comparable, other data or another split",
        "test loss: not comparable, other data or another split",
    ]

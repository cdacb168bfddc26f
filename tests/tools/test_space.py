import pytest

from digits.core.errors import UserError
from tools import space


def drawn(values, count=200, seed=1):
    return [setting["x"] for setting in space.random_settings(space.parsed([f"x={values}"]), count, seed)]


def test_a_grid_is_every_combination():
    settings = space.grid(space.parsed(["a=1,2", "b=[8,16],[4]"]))
    assert settings == [{"a": a, "b": b} for a in (1, 2) for b in ([8, 16], [4])]
    assert space.grid({}) == [{}]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("3", [3]),
        ("1e-3,0.01", [0.001, 0.01]),
        ("choice(a,b)", ["a", "b"]),
        ("range(1,4)", [1, 2, 3]),
        ("int(1.5)", [1]),
        ("emnist/digits,'1',\"a b\"", ["emnist/digits", "1", "a b"]),
        (
            "{name:constant,rate:0.1},null,{filters:[8,8],pool:true}",
            [
                {"name": "constant", "rate": 0.1},
                None,
                {"filters": [8, 8], "pool": True},
            ],
        ),
    ],
)
def test_values_are_those_of_hydras_grammar(values, expected):
    assert space.parsed([f"x={values}"]) == {"x": expected}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("uniform(0,1)", "interval(0,1)"),
        ("log(0.001,1)", "tag(log,interval(0.001,1))"),
        ("int(3,5)", "int(interval(3,5))"),
    ],
)
def test_intervals_have_short_names(short, long):
    assert space.parsed([f"x={short}"]) == space.parsed([f"x={long}"])


def test_draws_are_within_their_bounds():
    assert all(-1 <= value <= 1 for value in drawn("uniform(-1,1)"))
    log = drawn("log(0.001,10)")
    assert all(0.001 <= value <= 10 for value in log)
    assert 70 < sum(value < 0.1 for value in log) < 130, "half of the draws below the geometric mean"
    assert set(drawn("int(3,5)")) == {3, 4, 5}
    assert set(drawn("int(log(1,3))")) == {1, 2, 3}
    assert set(drawn("x,y")) == {"x", "y"}


def test_draws_are_the_same_again():
    assert drawn("log(0.001,10)") == drawn("log(0.001,10)") != drawn("log(0.001,10)", seed=2)


def test_an_interval_in_a_grid_is_refused():
    with pytest.raises(UserError, match=r"a has an interval: a grid needs a list of values; or say how many to draw"):
        space.grid(space.parsed(["a=log(1,2)"]))


@pytest.mark.parametrize("values", ["log(0,1)", "int(5,3)", "uniform(2,1)", "uniform(0,inf)", "tag(lg,interval(1,2))"])
def test_impossible_bounds_are_told(values):
    with pytest.raises(UserError, match="the first bound must be the lower one"):
        space.parsed([f"x={values}"])


@pytest.mark.parametrize(
    "pair",
    ["x", "x=", "x=1,", "x=[1", "x y=1", "x='a", "x=foo(1)", "x=uniform(a,b)", "x=interval(1)", "x=int(a,b)", "x=int()",
     "x=range(1,1)", "x=range(1,2,0)", "x=glob(*)", "x=shuffle(1,2)", "x=[interval(1,2)]", "x=[1,interval(1,2)],[3]"],
)  # fmt: skip
def test_what_is_not_understood_is_one_line(pair):
    with pytest.raises(UserError, match="; write KEY=VALUES, such as ") as error:
        space.parsed([pair])
    assert str(error.value).startswith(f"{pair}: ")
    assert "\n" not in str(error.value)
    assert "BRACKET" not in str(error.value)


def test_an_unknown_key_is_refused_with_its_neighbours():
    known = {"recipe": "tiny", "seed": 3, "recipes": {"tiny": {"batch_size": 1, "epochs": 2}}}
    with pytest.raises(UserError, match=r"no key recipes\.tiny\.epoch; at 'epoch' there are batch_size, epochs"):
        space.check(["recipes.tiny.epoch"], {"tiny"}, known)
    for key in ("seed.x", "+seed", "~seed", "seed@x", ""):
        with pytest.raises(UserError, match=r"has no key"):
            space.check([key], {"tiny"}, known)


def test_a_key_that_nothing_would_read_is_refused():
    known = {"recipe": "tiny", "recipes": {"tiny": {"epochs": 1}, "large": {"epochs": 1}}}
    space.check(["recipes.tiny.epochs", "recipe"], {"tiny", "large"}, known)
    message = r"recipes\.large\.epochs is not read while tiny is trained: set recipe=large too"
    with pytest.raises(UserError, match=message):
        space.check(["recipes.large.epochs"], {"tiny"}, known)


def test_a_key_within_another_is_refused():
    known = {"recipe": "tiny", "recipes": {"tiny": {"loss": {"labels": "integer"}}}}
    with pytest.raises(UserError, match=r"recipes\.tiny\.loss\.labels is part of recipes\.tiny\.loss: set one of them"):
        space.check(["recipes.tiny.loss", "recipes.tiny.loss.labels"], {"tiny"}, known)

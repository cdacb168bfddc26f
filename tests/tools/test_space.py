import pytest
from optuna.trial import TrialState

from digits.core.errors import UserError
from tools import space


def tried(pairs, draws, sampler="random", seed=1, score=lambda setting: 0.5):
    """The settings that a search tries, where a setting has this validation accuracy."""
    wanted = space.parsed(pairs)
    study, settings = space.study(wanted, draws, sampler, seed), []
    for _ in range(draws or len(study.trials)):
        trial, setting = space.asked(study, wanted)
        accuracy = score(setting)
        study.tell(trial, accuracy, TrialState.PRUNED if accuracy is None else TrialState.COMPLETE)
        settings.append(setting)
    return settings


def drawn(values, count=200, **options):
    return [setting["x"] for setting in tried([f"x={values}"], count, **options)]


def test_a_grid_is_every_combination():
    settings = tried(["a=1,2", "b=[8,16],[4]"], draws=0)
    assert settings == [{"a": a, "b": b} for a in (1, 2) for b in ([8, 16], [4])]


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


@pytest.mark.parametrize("sampler", space.SAMPLERS)
def test_draws_are_within_their_bounds(sampler):
    assert all(-1 <= value <= 1 for value in drawn("uniform(-1,1)", 30, sampler=sampler))
    assert all(0.001 <= value <= 10 for value in drawn("log(0.001,10)", 30, sampler=sampler))
    assert set(drawn("int(3,5)", 30, sampler=sampler)) == {3, 4, 5}
    assert set(drawn("int(log(1,3))", 30, sampler=sampler)) == {1, 2, 3}
    assert {str(value) for value in drawn("{a:1},[2],true,1", 60, sampler=sampler)} == {"{'a': 1}", "[2]", "True", "1"}


def test_log_takes_each_order_of_magnitude_alike():
    assert 70 < sum(value < 0.1 for value in drawn("log(0.001,10)")) < 130, "half of the draws below the geometric mean"


@pytest.mark.parametrize("sampler", space.SAMPLERS)
def test_draws_are_the_same_again(sampler):
    def settings(count, seed):
        return tried(["x=log(0.001,10)", "y=a,b"], count, sampler, seed, lambda setting: -abs(setting["x"] - 2))

    assert settings(20, seed=1) == settings(20, seed=1) != settings(20, seed=2)
    assert settings(20, seed=1) == settings(25, seed=1)[:20], "more draws go on from there"


def test_tpe_draws_near_what_did_well_and_away_from_failures():
    near = [abs(x - 2) < 1 for x in drawn("uniform(0,10)", 60, sampler="tpe", score=lambda s: -abs(s["x"] - 2))]
    assert sum(near[30:]) > 20 > 2 * sum(near[:10])
    low = [x < 5 for x in drawn("uniform(0,10)", 40, sampler="tpe", score=lambda s: 0.5 if s["x"] < 5 else None)]
    assert sum(low[20:]) > 15


def test_an_interval_in_a_grid_is_refused():
    with pytest.raises(UserError, match=r"a has an interval: a grid needs a list of values; or say how many to draw"):
        tried(["a=log(1,2)"], draws=0)


@pytest.mark.parametrize("values", ["log(0,1)", "int(5,3)", "uniform(2,1)", "uniform(0,inf)", "tag(lg,interval(1,2))"])
def test_impossible_bounds_are_told(values):
    with pytest.raises(UserError, match=r"must (hold|be finite)") as error:
        space.parsed([f"x={values}"])
    assert "\n" not in str(error.value)


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

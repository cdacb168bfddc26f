import pytest

from tools.review import figures


def verdict(name, base, this):
    return next(figure for figure in figures.compared(base, this) if figure.name == name)


def test_ten_images_more_are_more_than_chance_and_one_is_not(make_side):
    base = make_side("base", mistakes=range(12))
    better = verdict("accuracy", base, make_side("this", mistakes=range(2)))
    assert (better.verdict, better.reason) == ("better", "10 images gained, 0 lost (McNemar: p = 0.002)")
    assert verdict("accuracy", base, make_side("this", mistakes=range(11))).verdict == "no clear difference"
    assert verdict("accuracy", make_side("base", mistakes=range(2)), base).verdict == "worse"


def test_as_many_mistakes_on_other_images_are_no_difference(make_side):
    found = verdict("accuracy", make_side("base", mistakes=range(10)), make_side("this", mistakes=range(10, 20)))
    assert (found.verdict, found.reason) == ("no clear difference", "the same")


def test_the_loss_is_compared_image_by_image(make_side):
    base = make_side("base", mistakes=range(30), headline={"loss": 0.67})
    found = verdict("loss", base, make_side("this", mistakes=range(2), headline={"loss": 0.138}))
    assert found.verdict == "better"
    assert found.reason.startswith("-0.53")
    found = verdict("loss", base, make_side("this", mistakes=range(31), headline={"loss": 0.689}))
    assert found.verdict == "no clear difference"


def test_without_predictions_the_interval_of_the_difference_decides(make_side):
    base = make_side("base", mistakes=range(40), predictions=None)
    assert verdict("accuracy", base, make_side("this", mistakes=range(10))).verdict == "better"
    found = verdict("accuracy", base, make_side("this", mistakes=range(38)))
    assert found.verdict == "no clear difference"
    # R. Newcombe's own example (1998, table II, a): 56 of 70 against 48 of 80 is 0.2, from 0.0524 to 0.3339.
    first = make_side("one", headline={"drawings": 48 / 80}, totals={"drawings": 80})
    second = make_side("other", headline={"drawings": 56 / 70}, totals={"drawings": 70})
    assert verdict("drawings", first, second).reason == "95 % interval of the difference +5.24% to +33.39%"


def test_the_spread_over_seeds_is_used_where_there_is_one(make_side):
    seeds = {"test_ece": {"sd": 0.001}}
    base = make_side("base", headline={"ece": 0.010}, seeds=seeds)
    assert verdict("ece", base, make_side("this", headline={"ece": 0.012}, seeds=seeds)).verdict == (
        "no clear difference"
    )
    worse = verdict("ece", base, make_side("this", headline={"ece": 0.013}, seeds=seeds))
    assert (worse.verdict, worse.reason) == ("worse", "two standard deviations over seeds are 0.0028")
    assert verdict("ece", base, make_side("this", headline={"ece": 0.012})).verdict == "unclear"


def test_counts_are_exact(make_side):
    found = verdict("weights", make_side("base"), make_side("this", headline={"weights": 900}))
    assert (found.verdict, found.reason, found.worsening) == ("better", "-10.0%", pytest.approx(-0.1))


def test_what_cannot_be_compared_is_said(make_side):
    base, other = make_side("base", headline={"drawings": 0.9}), make_side("this", data="other")
    assert verdict("accuracy", base, other).reason == "other data or another split"
    assert verdict("drawings", base, other).reason == "this has no such figure"
    assert verdict("weights", base, other).verdict == "no clear difference", "depends on no data"

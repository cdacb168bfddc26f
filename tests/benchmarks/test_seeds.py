import json
import statistics
import sys
from pathlib import Path

import pytest

from benchmarks import seeds
from digits import params
from digits.core.errors import UserError


def test_a_line_a_seed_and_their_spread(project, monkeypatch, capsys):
    monkeypatch.setattr(seeds, "measure", lambda parameters, recipe, seed: {"seed": seed, "test_accuracy": 1 / seed})
    monkeypatch.setattr(sys, "argv", ["seeds", "--seeds", "2"])
    seeds.main()
    result = json.loads(Path("benchmarks/seeds/tiny.json").read_text())
    assert [run["seed"] for run in result["runs"]] == [20, 21]
    assert result["summary"]["test_accuracy"]["mean"] == pytest.approx(statistics.mean([1 / 20, 1 / 21]), abs=1e-6)
    assert "test_accuracy" in capsys.readouterr().out


def test_one_seed_has_no_spread(project, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["seeds", "--seeds", "1"])
    with pytest.raises(UserError, match="a spread takes at least two"):
        seeds.main()


def test_another_recipe_than_the_active_one(project, monkeypatch):
    trained = []

    def measure(parameters, recipe, seed):
        assert parameters == params.load()
        trained.append((recipe, seed))
        return {"seed": seed, "loss": 0.5}

    monkeypatch.setattr(seeds, "measure", measure)
    monkeypatch.setattr(sys, "argv", ["seeds", "--seeds", "2", "--recipe", "mlp_dropout"])
    seeds.main()
    assert json.loads(Path("benchmarks/seeds/mlp_dropout.json").read_text())["recipe"] == "mlp_dropout"
    assert trained == [("mlp_dropout", 20), ("mlp_dropout", 21)]


def test_a_seed_is_measured_on_validation_on_test_and_on_drawings_and_leaves_nothing_behind(project):
    before = sorted(Path().rglob("*"))
    parameters = params.load()
    measured = seeds.measure(parameters, "tiny", parameters.seed)
    assert list(measured) == [
        "seed",
        "validation_accuracy",
        "test_accuracy",
        "test_loss",
        "test_ece",
        "training_seconds",
        "drawings_accuracy",
    ]
    trained, tested = (json.loads(Path(f"metrics/{name}.json").read_text()) for name in ("train", "test"))
    assert measured["validation_accuracy"] == pytest.approx(trained["val_accuracy"], abs=1e-6)
    assert measured["test_loss"] == pytest.approx(tested["loss"], abs=1e-6)
    assert measured["test_accuracy"] == pytest.approx(tested["accuracy"], abs=1e-6), "the first is the pipeline's seed"
    assert sorted(Path().rglob("*")) == before


def test_an_unknown_recipe_is_told(project, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["seeds", "--recipe", "huge"])
    with pytest.raises(UserError, match="no block 'huge' under recipes"):
        seeds.main()

import re
import sys

import pytest

from digits.errors import UserError
from tests.conftest import ROOT
from tests.test_pipeline import make_clone, run
from tools import sweep

SWEEP = [sys.executable, "-m", "tools.sweep"]
KEYS = ["recipes.tiny.schedule.rate=0.001,0.01,1e30", "--set", "recipes.tiny.epochs=1"]


def test_a_grid_is_every_combination():
    found = sweep.grid({"a": "1,2", "b": "[8,16],[4]"})
    assert found == [{"a": a, "b": b} for a in ("1", "2") for b in ("[8,16]", "[4]")]


def test_a_range_in_a_grid_is_refused():
    with pytest.raises(UserError, match=r"a=log\(1,2\) is a range: a grid needs a list"):
        sweep.grid({"a": "log(1,2)"})


def test_draws_are_within_their_bounds_and_the_same_again():
    space = {"u": "uniform(-1,1)", "l": "log(0.001,10)", "i": "int(3,5)", "c": "x,y"}
    found = sweep.drawn(space, 200, seed=1)
    assert found == sweep.drawn(space, 200, seed=1) != sweep.drawn(space, 200, seed=2)
    uniform, log, whole, choice = ([setting[key] for setting in found] for key in space)
    assert all(-1 <= float(value) <= 1 for value in uniform)
    assert all(0.001 <= float(value) <= 10 for value in log)
    assert 70 < sum(float(value) < 0.1 for value in log) < 130, "half of the draws below the geometric mean"
    assert set(whole) == {"3", "4", "5"}
    assert set(choice) == {"x", "y"}


def test_an_unknown_key_is_refused_with_its_neighbours():
    with pytest.raises(UserError, match=r"no key recipes\.tiny\.epoch; at 'epoch' there are batch_size, epochs"):
        sweep.check("recipes.tiny.epoch", {"recipes": {"tiny": {"batch_size": 1, "epochs": 2}}})
    with pytest.raises(UserError, match=r"no key seed\.x"):
        sweep.check("seed.x", {"seed": 3})


def test_the_name_is_that_of_the_setting_and_the_project():
    first = sweep.experiment_name({"a": "1", "b": "2"}, {"c": "3"}, "state")
    assert first == sweep.experiment_name({"b": "2", "a": "1"}, {"c": "3"}, "state")
    assert (
        len({first, sweep.experiment_name({"a": "1"}, {}, "state"), sweep.experiment_name({"a": "1"}, {}, "other")})
        == 3
    )


def test_the_table_is_sorted_by_who_made_it_and_tells_failures():
    rows = [{"name": "n", "setting": {"recipes.tiny.epochs": "3"}, "val_accuracy": 0.5, "val_loss": 1.25}]
    lines = sweep.table(rows, 2).splitlines()
    assert lines[0].split() == ["validation", "accuracy", "loss", "tiny.epochs", "experiment"]
    assert lines[1].split() == ["50.00%", "1.2500", "3", "n"]
    assert lines[2] == "1 of 2 failed"
    assert sweep.table([], 2) == "no experiment succeeded"


def test_the_best_is_written_and_nothing_else_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(before)
    sweep.write_best({"recipes.fast_cnn.schedule.peak": "0.03", "recipes.fast_cnn.model.widths": "[8, 16]"})
    changed = [
        (old, new)
        for old, new in zip(before.splitlines(), (tmp_path / "params.yaml").read_text().splitlines(), strict=True)
        if re.sub(r"\s+", " ", old) != re.sub(r"\s+", " ", new)
    ]
    assert [re.sub(r"\s+#.*", "", new).strip() for _, new in changed] == ["widths: [8, 16]", "peak: 0.03"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return make_clone(tmp_path_factory.mktemp("sweep"))


def test_a_search_from_end_to_end(clone):
    # Interrupted after the first: as if the others had never been asked for.
    run(clone, *SWEEP, "recipes.tiny.schedule.rate=0.001", *KEYS[1:])
    output = run(clone, *SWEEP, *KEYS)
    assert output.count("epoch 1/1") == 1, "the first is there already, the last diverges"
    assert "the training diverged" in output
    *_, best, other, failed = output.splitlines()
    assert best.split()[2] == "0.01"
    assert other.split()[2] == "0.001"
    assert failed == "1 of 3 failed"
    assert run(clone, "git", "status", "--porcelain") == ""
    for name in (best.split()[-1], other.split()[-1]):
        assert "epochs: 1" in run(clone, "git", "show", f"refs/exps/{exp_path(clone, name)}:params.yaml")

    again = run(clone, *SWEEP, "recipes.tiny.schedule.rate=0.001,0.01", *KEYS[1:], "--write")
    assert "epoch 1/1" not in again
    assert "written to params.yaml: recipes.tiny.schedule.rate=0.01" in again


def exp_path(clone, name):
    (ref,) = [line for line in run(clone, "git", "for-each-ref", "--format=%(refname)").split() if line.endswith(name)]
    return ref.removeprefix("refs/exps/")


def test_a_wrong_argument_is_one_line(clone):
    assert run(clone, *SWEEP, "recipes.tiny.epochs", check=False) == (
        "sweep: recipes.tiny.epochs: write KEY=VALUES, such as recipes.fast_cnn.schedule.peak=0.003,0.01\n"
    )

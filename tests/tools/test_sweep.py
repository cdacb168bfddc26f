import os
import re
import signal
import subprocess
import sys

import pytest

from digits import params
from digits.core.errors import UserError
from tests.conftest import ROOT
from tests.test_pipeline import ENVIRONMENT, make_clone, run
from tools import sweep

SWEEP = [sys.executable, "-m", "tools.sweep"]
IDENTITY = {f"GIT_{who}_{what}": "x@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
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
        sweep.check(
            {"recipes.tiny.epoch": "1"}, {}, {"recipe": "tiny", "recipes": {"tiny": {"batch_size": 1, "epochs": 2}}}
        )
    with pytest.raises(UserError, match=r"no key seed\.x"):
        sweep.check({"seed.x": "1"}, {}, {"recipe": "tiny", "seed": 3})


def test_the_name_is_that_of_the_setting_and_the_project():
    first = sweep.experiment_name({"a": "1", "b": "2"}, {"c": "3"}, "state")
    assert first == sweep.experiment_name({"b": "2", "a": "1"}, {"c": "3"}, "state")
    assert (
        len({first, sweep.experiment_name({"a": "1"}, {}, "state"), sweep.experiment_name({"a": "1"}, {}, "other")})
        == 3
    )


@pytest.mark.parametrize("values", ["log(0,1)", "int(5,3)", "uniform(a,b)", "uniform(2,1)"])
def test_impossible_bounds_are_told(values):
    with pytest.raises(UserError, match="bound"):
        sweep.drawn({"x": values}, 3, seed=0)


def test_whole_blocks_are_values_too():
    assert sweep.grid({"s": "{name:constant,rate:0.1},null,{filters:[8,8],pool:true}"}) == [
        {"s": "{name:constant,rate:0.1}"},
        {"s": "null"},
        {"s": "{filters:[8,8],pool:true}"},
    ]


def test_a_key_that_nothing_would_read_is_refused():
    known = {"recipe": "tiny", "recipes": {"tiny": {"epochs": 1}, "large": {"epochs": 1}}}
    sweep.check({"recipes.tiny.epochs": "1"}, {}, known)
    sweep.check({"recipes.large.epochs": "1"}, {"recipe": "large"}, known)
    sweep.check({"recipes.large.epochs": "1", "recipe": "large,tiny"}, {}, known)
    with pytest.raises(
        UserError, match=r"recipes\.large\.epochs is not read while tiny is trained: set recipe=large too"
    ):
        sweep.check({"recipes.large.epochs": "1"}, {}, known)


def test_the_table_tells_failures():
    rows = [{"name": "n", "setting": {"recipes.tiny.epochs": "3"}, "val_accuracy": 0.5, "val_loss": 1.25}]
    lines = sweep.table(rows, 2).splitlines()
    assert lines[0].split() == ["validation", "accuracy", "loss", "tiny.epochs", "experiment"]
    assert lines[1].split() == ["50.00%", "1.2500", "3", "n"]
    assert lines[2] == "1 of 2 failed"


def test_the_best_is_written_and_nothing_else_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(before)
    sweep.write_best({"recipes.fast_cnn.schedule.peak": "0.03", "recipes.fast_cnn.model.widths": "[8, 16]"})
    after = (tmp_path / "params.yaml").read_text()
    changed = [new for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]
    assert [re.sub(r"\s+#.*", "", line).strip() for line in changed] == ["widths: [8, 16]", "peak: 0.03"]


def test_a_block_is_written_as_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    sweep.write_best({"recipes.tiny.schedule": "{name:cosine,peak:0.1}"})
    assert params.load(tmp_path / "params.yaml").recipes["tiny"].schedule == params.Cosine(name="cosine", peak=0.1)


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
    assert "written to params.yaml: recipes.tiny.schedule.rate=0.01; found with recipes.tiny.epochs=1" in again
    once_more = run(clone, *SWEEP, "recipes.tiny.schedule.rate=0.001,0.01", *KEYS[1:])
    assert "epoch 1/1" not in once_more, "what was written is no reason to try again"
    run(clone, "git", "checkout", "params.yaml")


def test_an_interrupted_search_leaves_the_work_tree_alone_and_goes_on(clone):
    (clone / "README.md").write_text("an edit that is not committed")
    search = subprocess.Popen(
        [*SWEEP, "recipes.tiny.batch_size=32", "--set", "recipes.tiny.epochs=2000"],
        cwd=clone,
        env=ENVIRONMENT | IDENTITY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a group of its own, which the signal goes to as from a keyboard
        # Where the tests run in the background, the signal is ignored from the beginning.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    for line in search.stdout:
        if "epoch 1/" in line:
            os.killpg(search.pid, signal.SIGINT)
            break
    output = search.communicate()[0]
    assert "sweep: interrupted; the same command goes on from here" in output
    assert (clone / "README.md").read_text() == "an edit that is not committed"
    assert run(clone, "git", "status", "--porcelain").split() == ["M", "README.md"]
    done = run(clone, *SWEEP, "recipes.tiny.batch_size=32", "--set", "recipes.tiny.epochs=1", **IDENTITY)
    assert "epoch 1/1" in done


def exp_path(clone, name):
    (ref,) = [line for line in run(clone, "git", "for-each-ref", "--format=%(refname)").split() if line.endswith(name)]
    return ref.removeprefix("refs/exps/")


def test_a_wrong_argument_is_one_line(clone):
    assert run(clone, *SWEEP, "recipes.tiny.epochs", check=False) == (
        "sweep: recipes.tiny.epochs: write KEY=VALUES, such as recipes.fast_cnn.schedule.peak=0.003,0.01\n"
    )

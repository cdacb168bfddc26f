import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from digits import params
from tests.conftest import ROOT
from tests.test_pipeline import ENVIRONMENT, make_clone, run
from tools import sweep
from tools.space import parsed

SWEEP = [sys.executable, "-m", "tools.sweep"]
IDENTITY = {f"GIT_{who}_{what}": "x@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
KEYS = ["recipes.tiny.schedule.rate=0.001,0.01,1e30", "--set", "recipes.tiny.epochs=1"]


def test_the_name_is_that_of_the_setting_and_the_project():
    first = sweep.experiment_name({"a": 1, "b": [2]}, "state")
    assert first == sweep.experiment_name({"b": [2], "a": 1}, "state")
    assert len({first, sweep.experiment_name({"a": 1}, "state"), sweep.experiment_name({"a": 1}, "other")}) == 3


KNOWN = {  # as `params.load` gives it: `small` lists its epochs, and has the rest from a base
    "seed": 1,
    "recipes": {"small": {"schedule": {"name": "one_cycle", "peak": 0.01, "warmup": 0.2}, "epochs": 5, "stop": None}},
}
SMALL = """\
seed: 1
bases:
  cnn:
    schedule: {name: one_cycle, peak: 0.01, warmup: 0.2}
    epochs: 20
    stop: null
recipes:
  # The small one.
  small:
    base: cnn   # which see
    epochs: 5   # few

# The end.
"""


def test_a_part_of_a_recipes_key_sets_the_whole_key():
    setting = {"recipes.small.schedule.peak": 0.03, "recipes.small.schedule.warmup": 0, "seed": 2}
    schedule = "recipes.small.schedule={name:one_cycle,peak:0.03,warmup:0}"
    assert sweep.overrides(KNOWN, setting) == [
        "++recipes.small.schedule=null",
        f"++{schedule}",
        "++seed=null",
        "++seed=2",
    ]
    assert KNOWN["recipes"]["small"]["schedule"]["peak"] == 0.01, "the next setting begins anew"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"recipes.small.schedule.peak": 0.03}, {"schedule": {"name": "one_cycle", "peak": 0.03, "warmup": 0.2}}),
        ({"recipes.small.schedule": {"name": "cosine", "peak": 1e-5}}, {"schedule": {"name": "cosine", "peak": 1e-5}}),
        ({"recipes.small.epochs": 7}, {}),
        ({"recipes.small.stop": {"patience": 2, "best": True}}, {"stop": {"patience": 2, "best": True}}),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_dvc_sets_what_is_listed_and_what_is_not(tmp_path, setting, expected, listed):
    file = tmp_path / "params.yaml"
    schedule = "    schedule: {name: one_cycle, peak: 0.01, warmup: 0.2}\n"
    file.write_text(SMALL.replace("    base: cnn   # which see\n", schedule) if listed else SMALL)
    before = YAML(typ="safe").load(file)["recipes"]["small"]
    apply_overrides(file, sweep.overrides(KNOWN, setting))
    epochs = setting.get("recipes.small.epochs", 5)
    assert YAML(typ="safe").load(file)["recipes"]["small"] == {**before, "epochs": epochs, **expected}


@pytest.mark.parametrize("recipe", params.load(ROOT / "params.yaml").model_dump(mode="json")["recipes"].items())
def test_every_block_of_ours_goes_through_hydra_unchanged(recipe):
    name, block = recipe
    keys = parsed(sweep.overrides({"recipes": {name: block}}, {f"recipes.{name}.{key}": block[key] for key in block}))
    assert {key.rpartition(".")[2]: values for key, values in keys.items()} == {key: [block[key]] for key in block}


def test_the_table_tells_failures():
    rows = [{"name": "n", "setting": {"recipes.tiny.epochs": 3}, "val_accuracy": 0.5, "val_loss": 1.25}]
    lines = sweep.table(rows, 2).splitlines()
    assert lines[0].split() == ["validation", "accuracy", "loss", "tiny.epochs", "experiment"]
    assert lines[1].split() == ["50.00%", "1.2500", "3", "n"]
    assert lines[2] == "1 of 2 failed"


@pytest.fixture
def ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    return params.load().model_dump(mode="json")


def test_the_best_is_written_and_nothing_else_changes(ours):
    before = Path("params.yaml").read_text()
    sweep.write_best(ours, {"recipes.fast_cnn.schedule.peak": 0.03, "recipes.resnet.model.widths": [8, 16]})
    model = "    model: {architecture: resnet, widths: %s, blocks: 1, kernel_initializer: he_normal}\n"
    expected = before.replace(model % [32, 64, 128], model % [8, 16], 1)
    last = f"    epochs: {ours['recipes']['fast_cnn']['epochs']}\n  accurate_cnn"
    expected = expected.replace(last, f"    schedule: {{name: one_cycle, peak: 0.03, warmup: 0.2}}\n{last}", 1)
    assert Path("params.yaml").read_text() == expected


def test_a_block_is_written_as_one(ours):
    sweep.write_best(ours, {"recipes.tiny.schedule": {"name": "cosine", "peak": 0.1}})
    assert params.load().recipes["tiny"].schedule == params.Cosine(name="cosine", peak=0.1)


def test_what_a_base_lists_is_written_into_the_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(SMALL)
    sweep.write_best(KNOWN, {"recipes.small.schedule.peak": 0.03, "recipes.small.schedule.warmup": 0})
    added = "    schedule: {name: one_cycle, peak: 0.03, warmup: 0}\n"
    assert Path("params.yaml").read_text() == SMALL.replace("    epochs: 5 ", f"{added}    epochs: 5 ")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return make_clone(tmp_path_factory.mktemp("sweep"))


@pytest.mark.pipeline
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

    drawn = run(clone, *SWEEP, "recipes.tiny.schedule.rate=0.001,0.01", *KEYS[1:], "--draws", "6")
    assert "\n6/6  sweep-" in drawn
    assert "epoch 1/1" not in drawn, "each setting that Optuna draws is there"
    assert drawn.splitlines()[-2:] == [best, other]


@pytest.mark.pipeline
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
    assert "sweep: interrupted; run the same command again to continue" in output
    assert (clone / "README.md").read_text() == "an edit that is not committed"
    assert run(clone, "git", "status", "--porcelain").split() == ["M", "README.md"]
    block = "recipes.tiny.schedule={name:cosine,peak:0.01}"
    done = run(clone, *SWEEP, block, "--set", "recipes.tiny.epochs=1", **IDENTITY)
    assert "epoch 1/1" in done
    assert "failed" not in done, "a block replaces one with other keys"


def exp_path(clone, name):
    (ref,) = [line for line in run(clone, "git", "for-each-ref", "--format=%(refname)").split() if line.endswith(name)]
    return ref.removeprefix("refs/exps/")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["recipes.tiny.epochs"], "recipes.tiny.epochs: missing EQUAL at '<EOF>'; write KEY=VALUES, such as"),
        (["seed=1", "--set", "processor.threads=1,2"], "--set processor.threads=1,2: give each key one value"),
        (["seed=1", "--draws", "-1"], "-1 draws: take at least 1"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments, line, ours, monkeypatch, fails):
    monkeypatch.setattr(sys, "argv", ["sweep", *arguments])
    assert fails(sweep).startswith(f"sweep: {line}")

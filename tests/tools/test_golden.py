import json

import pytest
from ruamel.yaml import YAML

from digits.core.errors import UserError
from tests.conftest import ROOT
from tools import golden

HASHES = {"download": {"data/raw/a.npy": "1", "data/raw/b.npy": "2"}, "train": {"models/model.keras": "3"}}


def make_run(**changes):
    known = {
        "settings": ["recipe=embedded"],
        "processor": "x86_64 with avx2",
        "versions": {"keras": "3.15.1"},
        "sources": {"download": "a", "train": "b"},
        "outputs": HASHES,
    }
    return golden.Run(**{**known, **changes})


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(golden, "FILE", tmp_path / "golden.json")
    return tmp_path / "golden.json"


def test_equal_hashes_do_not_differ():
    assert golden.difference(HASHES, dict(HASHES)) is None


def test_the_first_stage_and_its_files_are_named():
    other = {"download": {"data/raw/a.npy": "x", "data/raw/c.npy": "2"}, "train": {"models/model.keras": "x"}}
    assert golden.difference(HASHES, other) == "download: data/raw/a.npy, data/raw/b.npy, data/raw/c.npy differ"


def test_a_single_file_is_named():
    assert golden.difference(HASHES, {**HASHES, "train": {"models/model.keras": "x"}}) == (
        "train: models/model.keras differs"
    )


def test_of_many_files_some_are_named():
    many = {"train": {f"file{number}": "1" for number in range(9)}}
    assert golden.difference(many, {"train": {}}) == "train: file0, file1, file2, file3, file4, ... differ"


def test_a_stage_of_one_run_alone_differs():
    assert golden.difference({}, HASHES) == "download: data/raw/a.npy, data/raw/b.npy differ"


def test_what_was_recorded_is_read_again():
    golden.record([make_run()])
    assert golden.read() == [make_run()]


def test_the_same_bytes_agree():
    golden.record([make_run()])
    assert golden.compare(make_run()) == "golden hashes: the same bytes"


def test_other_bytes_of_the_same_sources_class_and_versions_are_an_error():
    golden.record([make_run()])
    other = make_run(outputs={**HASHES, "train": {"models/model.keras": "x"}})
    with pytest.raises(UserError, match=r"^train: models/model.keras differs from the golden hashes of the same"):
        golden.compare(other)


@pytest.mark.parametrize("change", [{"processor": "aarch64"}, {"versions": {"keras": "4"}}])
def test_another_class_or_version_is_told_and_no_error(change):
    golden.record([make_run()])
    other = {**HASHES, "train": {"models/model.keras": "x"}}
    told = "golden hashes of x86_64 with avx2, keras 3.15.1: "
    assert golden.compare(make_run(outputs=other, **change)) == f"{told}train: models/model.keras differs"
    assert golden.compare(make_run(**change)) == f"{told}the same bytes here"


def test_other_sources_are_not_compared():
    golden.record([make_run()])
    other = make_run(sources={"download": "a", "train": "x"}, outputs={})
    assert golden.compare(other).endswith("of other sources or parameters (first at the stage train)")


def test_other_settings_have_no_golden_hashes():
    golden.record([make_run()])
    assert golden.compare(make_run(settings=["seed=3"])) == "golden hashes: none recorded for seed=3"


def test_the_entry_of_this_class_is_compared_where_there_are_several():
    arm = make_run(processor="aarch64", outputs={**HASHES, "train": {"models/model.keras": "x"}})
    golden.record([make_run()])
    golden.record([arm])
    assert golden.compare(make_run()) == golden.compare(arm) == "golden hashes: the same bytes"


def test_a_new_record_replaces_those_that_it_makes_useless():
    own = make_run(settings=[])
    golden.record([own, make_run(), make_run(processor="aarch64")])
    newer = make_run(sources={"download": "a", "train": "new"})
    golden.record([newer])
    assert golden.read() == [own, newer]


def test_the_sources_of_a_stage_are_what_no_stage_made():
    def lock(cmd="train", raw="1", code="2", seed=3):
        return {
            "download": {"cmd": "download", "outs": [{"path": "data/raw"}]},
            "train": {
                "cmd": cmd,
                "deps": [{"path": "data/raw", "md5": raw}, {"path": "digits/x.py", "md5": code}],
                "params": {"params.yaml": {"seed": seed}},
                "outs": [],
            },
        }

    one = golden.sources(lock())
    assert golden.sources(lock(raw="other")) == one
    for change in ({"cmd": "x"}, {"code": "x"}, {"seed": 4}):
        other = golden.sources(lock(**change))
        assert other["download"] == one["download"]
        assert other["train"] != one["train"]


def test_a_run_whose_files_are_not_those_of_the_lock_is_refused(tmp_path):
    (tmp_path / "figure").write_text("changed since")
    (tmp_path / "dvc.lock").write_text("stages: {only: {cmd: x, outs: [{path: figure, md5: '1'}]}}")
    with pytest.raises(UserError, match=r"figure: not what .*dvc.lock lists; run `make repro` first"):
        golden.describe(tmp_path, [])


@pytest.mark.mnist
def test_the_committed_golden_hashes_are_of_the_committed_lock():
    # Else: python -m tools.rebuild_twice --record (docs/reproducibility.md).
    (own,) = [run for run in json.loads((ROOT / "tools/golden.json").read_text())["runs"] if not run["settings"]]
    stages = YAML(typ="safe").load(ROOT / golden.LOCK)["stages"]
    assert own["sources"] == golden.sources(stages)
    for stage, entry in stages.items():
        for out in entry["outs"]:
            if not out["md5"].endswith(".dir"):
                assert own["outputs"][stage][out["path"]] == out["md5"]

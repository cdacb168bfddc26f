import dataclasses
import json

import pytest

from digits.core.errors import UserError
from digits.metrics.decision import Decision
from digits.models import metadata
from digits.models.metadata import Metadata

ABOUT = Metadata(
    recipe="tiny",
    dataset="bars",
    classes=["a", "b", "c"],
    image_shape=(8, 6, 1),
    decision=Decision(sure=0.75, known=0.5),
    test={"accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 0.95, "total": 30},
)


def test_it_goes_there_and_back(tmp_path):
    ABOUT.write(tmp_path / "about.json")
    assert metadata.read(tmp_path / "about.json") == ABOUT


def test_of_the_test_figures_only_the_accuracy_is_kept(tmp_path):
    more = dataclasses.replace(ABOUT, test={**ABOUT.test, "loss": 0.1, "per_class": {}})
    more.write(tmp_path / "about.json")
    assert metadata.read(tmp_path / "about.json").test == ABOUT.test


def test_a_threshold_is_not_raised_by_the_rounding_of_files(tmp_path):
    # `decide` floors to the decimals that files keep; what was just sure still is.
    decision = Decision(sure=0.999999, known=0.123456)
    dataclasses.replace(ABOUT, decision=decision).write(tmp_path / "about.json")
    assert metadata.read(tmp_path / "about.json").decision == decision


@pytest.mark.parametrize("key", ["recipe", "dataset", "classes", "image_shape", "decision", "test"])
def test_a_missing_key_is_named(tmp_path, key):
    path = tmp_path / "about.json"
    ABOUT.write(path)
    content = json.loads(path.read_text())
    del content[key]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"about\.json: damaged \({key}: Field required\); delete it"):
        metadata.read(path)


@pytest.mark.parametrize(
    "change",
    [
        {"image_shape": [28, 28]},
        {"image_shape": 28},
        {"decision": {"sure": 0.5}},
        {"decision": {"sure": 0.5, "known": 0.1, "extra": 1}},
        {"decision": None},
        {"decision": {"sure": 0.5, "known": 0.6}},
        {"decision": {"sure": 2.0, "known": 0.1}},
        {"decision": {"sure": "0.5", "known": 0.1}},
        {"image_shape": [8, 6, 1.5]},
        {"image_shape": [8, 6, 0]},
        {"image_shape": [8, 6, 10**400]},
        {"recipe": ""},
        {"dataset": 7},
        {"test": {"accuracy": 1.5, "accuracy_low": 0.8, "accuracy_high": 0.95, "total": 30}},
        {"test": {"accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 0.95, "total": 0}},
        {"test": []},
        {"unknown": 1},
        *(
            {"classes": classes}
            for classes in (
                *(
                    None,
                    "abc",
                    3,
                    {},
                    {"a": 1, "b": 2, "c": 3},
                    [],
                    ["a"],
                    [1, 2, 3],
                    [None, "b", "c"],
                    ["a", ["b"], "c"],
                ),
                *(["a", "b", "a"], ["a", "", "c"], [True, False]),
            )
        ),
    ],
)
def test_damage_is_told(tmp_path, change):
    path = tmp_path / "about.json"
    ABOUT.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=r"about\.json: damaged"):
        metadata.read(path)

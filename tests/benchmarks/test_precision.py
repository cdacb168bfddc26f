import json
import sys

import pytest

from benchmarks import precision

pytestmark = pytest.mark.pipeline


def test_each_setting_is_trained_and_measured(project, monkeypatch):
    monkeypatch.setattr(precision, "SETTINGS", {"here": {"processor.threads": 1}})
    monkeypatch.setattr(sys, "argv", ["precision", "--rounds", "1"])
    precision.main()
    result = json.loads(precision.RESULTS.read_text())
    (run,) = result["runs"]["here"]
    assert run["seed"] == 20
    assert 0 < run["validation_accuracy"] <= 1
    assert 0 < run["test_accuracy"] <= 1
    assert result["seconds"]["here"]["n"] == 1

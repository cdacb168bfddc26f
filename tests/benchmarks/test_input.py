import json
import sys

from benchmarks import input  # noqa: A004


def test_each_rate_and_time_is_written(project, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["input", "--rounds", "1"])
    monkeypatch.setattr(input, "STEPS", 2)
    input.main()
    result = json.loads(input.RESULTS.read_text())
    names = ("images_per_second", "images_per_second_all_moved", "step_ms", "step_with_input_ms", "waiting")
    assert all(result[name]["n"] == 1 for name in names)
    assert 0 <= result["waiting"]["median"] < 1

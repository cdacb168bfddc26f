import argparse
import time

import pytest

from benchmarks import timing


def test_tasks_take_turns():
    calls = []
    seconds = timing.alternately({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3)
    assert calls == ["a", "b"] * 3
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3}


def test_seconds_are_those_of_the_task():
    seconds = timing.alternately({"long": lambda: time.sleep(0.02), "short": lambda: None}, rounds=1)
    assert seconds["long"][0] >= 0.02 > seconds["short"][0]


def test_summary():
    assert timing.summary([3.0, 1.0, 2.0]) == {"n": 3, "median": 2.0, "min": 1.0, "max": 3.0}


def test_a_count_is_a_number_from_one_on():
    assert timing.count("12") == 12
    for text in ("0", "-1", "1.5", "", "x"):
        with pytest.raises(argparse.ArgumentTypeError, match="no number from 1 on"):
            timing.count(text)

"""Repeated measurements of times."""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def count(text: str) -> int:
    """Returns the number in an argument of the command line; a type for `argparse`.

    Raises:
        ArgumentTypeError: it is none from 1 on.
    """
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def alternately(tasks: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Runs the tasks in turn, so that a change of the machine's speed affects all; returns the seconds of each run."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def summary(values: Sequence[float]) -> dict[str, float]:
    """Returns number, median and range."""
    return {"n": len(values), "median": statistics.median(values), "min": min(values), "max": max(values)}

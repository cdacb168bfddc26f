"""Repeated measurements of times."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence


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

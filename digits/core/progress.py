"""Shows how far a long task is: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

SECONDS = 10.0  # between two lines


def track(items: Iterable[Item], what: str, total: int) -> Iterator[Item]:
    """Yields the items and shows how many are done.

    Args:
        items: the work.
        what: the name of the task.
        total: number of items.
    """
    if sys.stdout.isatty():
        yield from tqdm(items, desc=what, total=total, leave=False, file=sys.stdout)
        return
    shown = time.monotonic()
    for done, item in enumerate(items):
        if time.monotonic() - shown >= SECONDS:
            print(f"{what}: {done:,} of {total:,}", flush=True)
            shown = time.monotonic()
        yield item

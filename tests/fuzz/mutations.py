"""Damaged and hostile variants of good inputs: the same ones on every run."""

import copy
import random
from collections.abc import Iterator, Sequence
from typing import Any

Content = bytes
WEIRD = (None, True, -1, 0, 0.5, 10**400, -(10**30), 1e308, float("inf"), float("nan"), "", "x" * 20_000, "a\nb\x1b[2J")
WEIRD += ([], {}, [[]], {"a": {}}, [1, 2, 3], "null", "\udcff", b"", (1, 2))


def flips(content: Content, count: int, seed: int = 0) -> Iterator[tuple[int, Content]]:
    """Yields `count` copies with one bit changed, each with the number of its bit; each bit at most once."""
    bits = range(8 * len(content))
    for bit in random.Random(seed).sample(bits, min(count, len(bits))):
        yield bit, flipped(content, bit)


def flipped(content: Content, bit: int) -> Content:
    """Returns a copy with one bit changed."""
    byte = content[bit // 8] ^ (1 << bit % 8)
    return content[: bit // 8] + bytes([byte]) + content[bit // 8 + 1 :]


def mutants(good: Sequence[Content], count: int, tokens: Sequence[Content] = (), seed: int = 0) -> Iterator[Content]:
    """Yields `count` contents made of good ones by one to four random edits.

    Args:
        good: contents to start from.
        count: how many.
        tokens: what is inserted now and then, besides bytes: what means something to the parser.
        seed: of the edits.
    """
    draw = random.Random(seed)
    for _ in range(count):
        content = draw.choice(good)
        for _ in range(draw.randint(1, 4)):
            content = edited(draw, content, good, tokens)
        yield content


def edited(draw: random.Random, content: Content, good: Sequence[Content], tokens: Sequence[Content]) -> Content:
    """Returns a copy with one random edit."""
    first, last = sorted(draw.randint(0, len(content)) for _ in range(2))
    head, part, tail = content[:first], content[first:last], content[last:]
    edits = [
        lambda: flipped(content, draw.randrange(8 * len(content))) if content else b"\0",
        lambda: head + draw.randbytes(draw.randint(1, 4)) + content[first:],
        lambda: head + tail if len(part) < 64 else head + part[draw.randint(1, 64) :] + tail,
        lambda: head + part[:200] * draw.choice((2, 3, 50)) + content[first:],
        lambda: content[:last],
        lambda: head + draw.choice(good)[first:],
    ]
    if tokens:
        edits += [lambda: head + draw.choice(tokens) + content[first:], lambda: head + draw.choice(tokens) + tail]
    return draw.choice(edits)()


def changed(draw: random.Random, content: Any, weird: Sequence[Any] = WEIRD) -> Any:
    """Returns a deep copy of nested lists and dictionaries with one to three random changes of values or keys."""
    content = copy.deepcopy(content)
    for _ in range(draw.randint(1, 3)):
        places = list(_places(content))
        if not places:
            return draw.choice(weird)
        parent, key = draw.choice(places)
        match draw.randrange(4), parent:
            case 0, dict():
                parent[draw.choice(("x", "base", 5, None, "y\nz", "k" * 3000, (1, 2)))] = parent.pop(key)
            case 1, dict():
                del parent[key]
            case 2, _:
                other, place = draw.choice(places)
                parent[key] = copy.deepcopy(other[place])
            case _:
                parent[key] = copy.deepcopy(draw.choice(weird))
    return content


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    """Yields each value in nested lists and dictionaries as what holds it, and its key or number there."""
    entries = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in entries:
        yield content, key
        yield from _places(value)

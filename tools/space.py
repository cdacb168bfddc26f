"""The search space: values of each key in Hydra's grammar, as a grid or as random draws."""

import itertools
import math
import random
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import IntervalSweep
from hydra.errors import HydraException

from digits.core import paths
from digits.core.errors import UserError

Space = dict[str, list[Any] | IntervalSweep]  # key of params.yaml -> list of values, or an interval to draw from
Setting = dict[str, Any]  # key of params.yaml -> value

EXAMPLE = "recipes.fast_cnn.schedule.peak=0.003,0.01"


def parsed(pairs: Iterable[str]) -> Space:
    """Parses `KEY=VALUES` texts into a space."""
    parser, space = _parser(), Space()
    for pair in pairs:
        try:
            space[parser.parse_override(pair).get_key_element()] = _values(parser, pair)
        except (HydraException, ValueError, AssertionError) as error:
            why = " ".join(str(error).partition(" expecting ")[0].split()) or "an interval cannot be part of a block"
            raise UserError(f"{pair}: {why}; write KEY=VALUES, such as {EXAMPLE}") from error
    return space


def _parser() -> OverridesParser:
    """Returns Hydra's parser with short names for intervals; its own `int(3,5)` is the list `3,5`."""
    functions = create_functions()
    del functions.definitions["glob"], functions.definitions["shuffle"]  # the same command must try the same values
    functions.register("uniform", lambda low, high: IntervalSweep(set(), float(low), float(high)))
    functions.register("log", lambda low, high: IntervalSweep({"log"}, float(low), float(high)))
    as_int = functions.functions["int"]
    functions.functions["int"] = lambda *args: as_int(IntervalSweep(set(), *args) if len(args) == 2 else args[0])
    return OverridesParser(functions)


def _values(parser: OverridesParser, pair: str) -> list[Any] | IntervalSweep:
    override = parser.parse_override(pair)
    value = override.value()
    if isinstance(value, IntervalSweep):
        low, high, least = cast(float, value.start), cast(float, value.end), 0 if value.tags else -math.inf
        if value.tags - {"log"} or not least < low <= high < math.inf:
            raise ValueError("the first bound must be the lower one, of log above 0, and log is the only tag")
        return value
    is_sweep = override.is_sweep_override()
    texts = [*override.sweep_string_iterator()] if is_sweep else [override.get_value_element_as_str()]
    if texts in ([], [""]):
        raise ValueError("no value")
    return [parser.parse_override(f"x={text}").value() for text in texts]  # without quotes


def check(keys: Collection[str], trained: Collection[str], known: Mapping[str, Any]) -> None:
    """Raises, before any run, for keys that `params.yaml` does not have or that no experiment reads."""
    for key in keys:
        node: Any = known
        for part in key.split("."):
            if not isinstance(node, Mapping) or part not in node:
                there = f"; at '{part}' there are {', '.join(node)}" if isinstance(node, Mapping) else ""
                raise UserError(f"{paths.PARAMS} has no key {key}{there}")
            node = node[part]
        if blocks := [other for other in keys if key.startswith(f"{other}.")]:
            raise UserError(f"{key} is part of {blocks[0]}: set one of them")
        section, name, *_ = [*key.split("."), ""]
        if section == "recipes" and name not in trained:
            raise UserError(f"{key} is not read while {', '.join(trained)} is trained: set recipe={name} too")


def grid(space: Space) -> list[Setting]:
    """Returns every combination of the listed values."""
    lists: list[list[Any]] = []
    for key, values in space.items():
        if isinstance(values, IntervalSweep):
            raise UserError(f"{key} has an interval: a grid needs a list of values; or say how many to draw")
        lists.append(values)
    return [dict(zip(space, chosen, strict=True)) for chosen in itertools.product(*lists)]


def random_settings(space: Space, count: int, seed: int) -> list[Setting]:
    """Draws `count` random settings: from a list, or uniformly between bounds, on a log scale with `log`."""
    if count < 1:
        raise UserError(f"{count} draws: take at least 1")
    generator = random.Random(seed)  # noqa: S311  # not for secrets
    return [{key: _draw(values, generator) for key, values in space.items()} for _ in range(count)]


def _draw(values: list[Any] | IntervalSweep, generator: random.Random) -> Any:
    if isinstance(values, list):
        return generator.choice(values)
    low, high = cast(float, values.start), cast(float, values.end)
    is_integer = isinstance(low, int)  # both bounds included, each with the width of one number
    transform, inverse = (math.log, math.exp) if values.tags else (float, float)
    number = inverse(generator.uniform(transform(low), transform(high + is_integer)))
    return min(high, math.floor(number)) if is_integer else float(f"{number:.4g}")

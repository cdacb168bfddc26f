"""The search space: values of each key in Hydra's grammar, as lists or as intervals, and Optuna's way through it."""

import itertools
import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

import optuna
from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import IntervalSweep
from hydra.errors import HydraException
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from digits.core import paths
from digits.core.errors import UserError

Space = dict[str, list[Any] | BaseDistribution]  # key of params.yaml -> list of values, or an interval to draw from
Setting = dict[str, Any]  # key of params.yaml -> value

EXAMPLE = "recipes.fast_cnn.schedule.peak=0.003,0.01"
SAMPLERS = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}


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


def _values(parser: OverridesParser, pair: str) -> list[Any] | BaseDistribution:
    override = parser.parse_override(pair)
    value = override.value()
    if isinstance(value, IntervalSweep):
        low, high = cast(Any, value.start), cast(Any, value.end)
        if value.tags - {"log"} or not math.isfinite(high - low):
            raise ValueError("the bounds must be finite, and log is the only tag")
        kind = IntDistribution if isinstance(low, int) else FloatDistribution
        return kind(low, high, log=bool(value.tags))  # which refuses bounds that are the wrong way round
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


def study(space: Space, draws: int, sampler: str, seed: int) -> optuna.Study:
    """Returns a study of `draws` trials, or of one for each combination of the listed values where that is 0.

    It asks for the same settings each time, as long as it is told the same results. Failures are told as pruned trials,
    which the sampler `tpe` takes for the worst.
    """
    if draws < 0:
        raise UserError(f"{draws} draws: take at least 1")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    made = optuna.create_study(direction="maximize", sampler=SAMPLERS[sampler](seed=seed))
    if not draws:
        lists = {key: range(len(values)) for key, values in space.items() if isinstance(values, list)}
        if intervals := space.keys() - lists:
            raise UserError(f"{min(intervals)} has an interval: a grid needs a list of values; or say how many to draw")
        for chosen in itertools.product(*lists.values()):
            made.enqueue_trial(dict(zip(lists, chosen, strict=True)))
    return made


def asked(made: optuna.Study, space: Space) -> tuple[optuna.Trial, Setting]:
    """Asks a study for its next trial, and returns that with its setting; a number has four digits."""
    trial = made.ask({key: _distribution(values) for key, values in space.items()})
    return trial, {key: _value(values, trial.params[key]) for key, values in space.items()}


def _distribution(values: list[Any] | BaseDistribution) -> BaseDistribution:
    """Returns the interval, or for a list its places: Optuna takes no blocks."""
    return CategoricalDistribution(range(len(values))) if isinstance(values, list) else values


def _value(values: list[Any] | BaseDistribution, drawn: Any) -> Any:
    if isinstance(values, list):
        return values[drawn]
    return float(f"{drawn:.4g}") if isinstance(drawn, float) else drawn

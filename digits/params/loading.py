"""Reads `params.yaml`, completes each recipe from its base, and validates the result."""

import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from digits.core import paths
from digits.core.errors import UserError, one_line
from digits.params.project import Params


class _Values(reprlib.Repr):
    """Writes a value as Python does, cut to a readable length; nested and shared blocks are not unfolded."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 2, 80, 80

    def repr_int(self, x: int, level: int) -> str:
        """Python refuses to write integers of thousands of digits."""
        return super().repr_int(x, level) if abs(x) < 10**40 else f"an integer of {x.bit_length()} bits"


_shown = _Values().repr


def load(path: Path = paths.PARAMS) -> Params:
    """Reads and checks the parameters.

    Raises:
        UserError: the file is missing or not YAML, or a key is unknown, missing, or of a wrong type or range; the
            message lists each such key with its legal values.
    """
    return check(_read(path), path)


def check(content: Any, path: Path = paths.PARAMS) -> Params:
    """Completes and checks what was read from `path`.

    Raises:
        UserError: as `load`.
    """
    try:
        return Params.model_validate(_with_bases(content, path))
    except UnicodeEncodeError as error:  # YAML can write it, and pydantic does not take it
        raise UserError(f"{path}: a text holds half a character: {one_line(error)}") from error
    except ValidationError as error:
        problems = error.errors()
        problems = [problem for problem in problems if problem["loc"][:1] == ("bases",)] or problems
        lines = dict.fromkeys(_explain(problem, content) for problem in problems)  # several recipes share a base
        raise UserError(f"{path}: {'; '.join(lines)}") from error


def _read(path: Path) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file here; run from the project's root") from None
    except OSError:
        raise
    except RecursionError as error:
        raise UserError(f"{path}: not readable as YAML: nested too deeply") from error
    except Exception as error:  # ruamel.yaml's, or what Python's own int, float or datetime raise on a value
        raise UserError(f"{path}: not readable as YAML: {one_line(error, limit=500)}") from error


def _with_bases(content: Any, path: Path) -> Any:
    """Returns the content with complete recipes: their own keys replace those of their base, without merging."""
    match content:
        case {"bases": {**bases}, "recipes": {**recipes}}:
            complete = {name: _complete(name, recipe, bases, path) for name, recipe in recipes.items()}
            return {**content, "recipes": complete}
    return content  # the schema reports what is wrong


def _complete(name: object, recipe: Any, bases: Mapping[Any, Any], path: Path) -> Any:
    match recipe:
        case {"base": str(base), **own} if isinstance(bases.get(base), dict):
            return {**bases[base], **own}
        case {"base": base}:
            raise UserError(f"{path}: recipes.{name}.base is {_shown(base)}: there are {', '.join(map(str, bases))}")
    return recipe


def _explain(problem: Any, content: Any) -> str:
    key = ".".join(_keys(list(problem["loc"]), content))
    discriminator = problem.get("ctx", {}).get("discriminator", "").strip("'")
    match problem["type"]:
        case "missing":
            return f"{key}{'.' if key else ''}{problem['loc'][-1]} is missing"
        case "value_error":
            return f"{key}: {problem['ctx']['error']}" if key else str(problem["ctx"]["error"])
        case "union_tag_invalid":
            return (
                f"{key}.{discriminator} is {_shown(problem['ctx']['tag'])}: it can be {problem['ctx']['expected_tags']}"
            )
        case "union_tag_not_found":
            return f"{key}.{discriminator} is missing"
        case _:
            return f"{key or 'the file'} is {_shown(problem['input'])}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _keys(location: Sequence[Any], content: Any) -> list[str]:
    """Returns the keys of a location that are in the file; pydantic adds the member of a union that it tried."""
    keys = []
    for key in _source_location(location, content):
        match content, key:
            case ({**known}, _) if key in known:
                pass
            case [*_], int():
                pass
            case _:
                continue
        keys.append(str(key))
        content = content[key]
    return keys


def _source_location(location: Sequence[Any], content: Any) -> Sequence[Any]:
    """Returns where a value is written: in the base, if the recipe takes it from there."""
    match location, content:
        case ["recipes", name, key, *rest], {"bases": {}, "recipes": {**recipes}}:
            match recipes.get(name):
                case {"base": str(base), **own} if key not in own and key in content["bases"][base]:
                    return ["bases", base, key, *rest]
    return location

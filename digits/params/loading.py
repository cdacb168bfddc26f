"""Reads and checks `params.yaml`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from digits.core import paths
from digits.core.errors import UserError
from digits.params.project import Params


def load(path: Path = paths.PARAMS) -> Params:
    """Reads and checks the parameters.

    Raises:
        UserError: no file, no YAML, or a key that is unknown, missing or of a wrong type or range; the one line
            lists each of them with its legal values.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file here; run from the project's root") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        problems = (_explain(problem, content) for problem in error.errors())
        raise UserError(f"{path}: " + "; ".join(problems)) from error


def _explain(problem: Any, content: Any) -> str:
    key = ".".join(_keys(problem["loc"], content))
    discriminator = problem.get("ctx", {}).get("discriminator", "").strip("'")
    match problem["type"]:
        case "missing":
            return f"{key}{'.' if key else ''}{problem['loc'][-1]} is missing"
        case "value_error":
            return f"{key}: {problem['ctx']['error']}" if key else str(problem["ctx"]["error"])
        case "union_tag_invalid":
            return f"{key}.{discriminator} is {problem['ctx']['tag']!r}: it can be {problem['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return f"{key}.{discriminator} is missing"
        case _:
            return f"{key or 'the file'} is {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _keys(location: Iterable[Any], content: Any) -> list[str]:
    """The keys of a location that are in the file; pydantic also names the member of a union that it tried."""
    keys = []
    for key in location:
        if isinstance(content, list) or (isinstance(content, dict) and key in content):
            keys.append(str(key))
            content = content[key]
    return keys

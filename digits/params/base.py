"""The base class of every block of `params.yaml`: closed, typed, immutable; ranges that several blocks share."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Fraction = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
NotNegative = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    """A block of `params.yaml`: no unknown keys, no type conversions, no defaults, immutable."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, content: Any) -> Any:
        if isinstance(content, dict):
            check_keys(content, cls.model_fields)
        return content


def first_problem(error: ValidationError) -> str:
    """Returns where and what the first problem of a validation is: `test.total: Field required`."""
    problem = error.errors()[0]
    return ": ".join(filter(None, (".".join(map(str, problem["loc"])), problem["msg"])))


def check_keys(keys: Iterable[Any], known: Iterable[str]) -> None:
    """Raises a `ValueError` for unknown keys that suggests the nearest known keys, or lists all known keys."""
    known = list(known)
    if unknown := [str(key) for key in keys if key not in known]:
        guesses = [difflib.get_close_matches(key, known, n=1) for key in unknown]
        nearest = ", ".join(guess for (guess,) in filter(None, guesses))
        hint = f"did you mean {nearest}?" if all(guesses) else f"the keys here are {', '.join(known)}"
        raise ValueError(f"unknown key {', '.join(unknown)}; {hint}")

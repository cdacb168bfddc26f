"""Lists the experiments on this commit, the best validation accuracy first: `make show`.

Those of `make sweep` have no test figures, and its own table: they are left out.
"""

from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any, NamedTuple

from dvc.exceptions import DvcException
from dvc.repo import Repo

from digits.core.errors import UserError, run
from tools import configure_dvc
from tools.review.side import flat

WIDTH = 120
HEADER = ("experiment", "test accuracy (95 % interval)", "validation", "test loss", "changed")


class Row(NamedTuple):
    """What is shown of one experiment; figures that it does not have are None."""

    name: str
    metrics: Mapping[str, Any]
    changed: str


def main() -> None:
    """Prints the table."""
    configure_dvc.check()
    with Repo() as repo:
        try:
            commits = repo.experiments.show()
        except DvcException as error:
            raise UserError(f"{error}; experiments need a git repository with a commit") from None
    found = rows(commit for commit in commits if commit.rev != "workspace")
    print(table(found))
    if len(found) < 2:
        print("no experiment on this commit yet: make run, or dvc exp run --set-param KEY=VALUE")


def rows(commits: Iterable[Any]) -> list[Row]:
    """The commits and their finished experiments, the best first."""
    found = [row for commit in commits for row in (as_row(commit), *map(as_row, finished(commit), repeat(commit)))]
    return sorted(found, key=lambda row: row.metrics.get("val_accuracy", 0), reverse=True)


def finished(commit: Any) -> list[Any]:
    """The experiments on a commit that have figures and are none of a search."""
    states = [group.revs[0] for group in commit.experiments or []]
    return [state for state in states if state.data and state.name and not state.name.startswith("sweep-")]


def as_row(state: Any, commit: Any = None) -> Row:
    """What is shown of an experiment on a commit, or of the commit itself."""
    changed = changes(content(commit.data.params), content(state.data.params)) if commit else "(this commit)"
    return Row(state.name or state.rev[:7], content(state.data.metrics), changed)


def content(files: Mapping[str, Any]) -> dict[str, Any]:
    """The values in files as DVC gives them, by their keys joined with dots."""
    return {key: value for file in files.values() for key, value in flat(file.get("data") or {}).items()}


def changes(base: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The parameters that differ from the commit's, with their values."""
    keys = [key for key in [*other, *(base.keys() - other.keys())] if base.get(key) != other.get(key)]
    return "  ".join(f"{key}={other.get(key, 'removed')}" for key in keys)


def table(found: Iterable[Row]) -> str:
    """The rows for a person, no wider than `WIDTH`."""
    lines = [HEADER, *(cells(row) for row in found)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    return "\n".join(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in padded)


def cells(row: Row) -> tuple[str, ...]:
    """The texts of a row; what was changed stands last, because it may be long."""
    return (
        row.name,
        interval(row.metrics),
        percent(row.metrics.get("val_accuracy")),
        "-" if (loss := row.metrics.get("loss")) is None else f"{loss:.4f}",
        row.changed,
    )


def interval(metrics: Mapping[str, Any]) -> str:
    """`97.22% (94.97% to 98.48%)`."""
    accuracy, low, high = (percent(metrics.get(f"accuracy{end}")) for end in ("", "_low", "_high"))
    return accuracy if accuracy == "-" else f"{accuracy} ({low} to {high})"


def percent(share: float | None) -> str:
    """`97.22%`, or `-` for none."""
    return "-" if share is None else f"{share:.2%}"


if __name__ == "__main__":
    run(main)

"""Decides whether a run may replace another: no figure worse than a tolerance allows, none that cannot be compared."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ruamel.yaml import YAML

from digits.core.errors import UserError
from tools.review.figures import COUNTS, GOOD, Figure
from tools.review.text import LABELS, difference

TOLERANCES = Path(__file__).with_name("tolerances.yaml")


def tolerances() -> dict[str, float]:
    """Reads figure -> how much worse it may become.

    Raises:
        UserError: a name is none of the headline figures.
    """
    content: dict[str, float] = YAML(typ="safe").load(TOLERANCES)
    if unknown := content.keys() - GOOD.keys():
        raise UserError(f"{TOLERANCES}: unknown figure {', '.join(sorted(unknown))}; there are {', '.join(GOOD)}")
    return content


def objections(figures: Sequence[Figure], allowed: Mapping[str, float]) -> list[str]:
    """Returns a line for each figure that became worse than allowed, or that cannot be compared."""
    lines = []
    for figure in figures:
        if figure.name not in allowed:
            continue
        limit = allowed[figure.name]
        if figure.verdict == "not comparable":
            lines.append(f"{LABELS[figure.name]}: not comparable, {figure.reason}")
        elif figure.worsening > limit:
            unit = f"{limit:.0%}" if figure.name in COUNTS else f"{limit:g}"
            lines.append(
                f"{LABELS[figure.name]}: {difference(figure)} is worse than the {unit} allowed; {figure.reason}"
            )
    return lines

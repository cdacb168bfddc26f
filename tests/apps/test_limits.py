import re

from apps import limits
from tests.conftest import ROOT

NAMES = {name for name in vars(limits) if name.isupper() and name != "MB"}


def written(name):
    """A limit as a reader of the documentation finds it."""
    value = getattr(limits, name)
    if name.endswith("_BYTES"):
        return f"{value // limits.MB} MB" if value >= limits.MB else f"{value // 1024} kB"
    if name.endswith("_SECONDS"):
        return f"{value:g} s"
    return ", ".join(value) if isinstance(value, tuple) else f"{value:,}"


def test_each_limit_is_documented_with_its_value():
    rows = [row for row in (ROOT / "docs/serving.md").read_text().splitlines() if row.startswith("|")]
    told = {name: row for row in rows for name in re.findall(r"`([A-Z_]+)`", row.rpartition(" | ")[2])}
    assert set(told) == NAMES
    for name, row in told.items():
        assert re.search(rf"(?<![\d,.]){re.escape(written(name))}(?![\d,.]*\d)", row), (name, written(name))

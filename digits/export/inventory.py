"""The inventory of a folder of models, `formats.json`: the SHA-256 of each file, and its accuracy on the test split.

It says whether a model and its metadata are still the files that were measured. It protects from damage and mix-ups; an
attacker who can write to the folder can write an inventory, too.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from digits.core import files, paths
from digits.core.errors import UserError

REMEDY = "restore it with `dvc checkout`, run `dvc repro`, or say --allow to run it anyway"


def write(path: Path, accuracies: Mapping[str, float]) -> None:
    """Writes the inventory of the models and the `about.json` beside it.

    Args:
        path: the inventory.
        accuracies: name of a model file -> accuracy on the test split.
    """
    entries = {name: {"accuracy": accuracy} for name, accuracy in accuracies.items()}
    named: dict[str, dict[str, Any]] = {paths.ABOUT.name: {}, **entries}
    content = {name: {"sha256": files.sha256(path.with_name(name)), **entry} for name, entry in named.items()}
    files.write_json(path, content)


def check(model: Path, about: Path) -> None:
    """Compares a model and its metadata with the inventory beside the model.

    Raises:
        UserError: there is no inventory, or one of the files is not in it, or is another than it says.
        FileNotFoundError: there is no such model.
    """
    if not model.exists():
        model.open("rb")
    inventory = model.with_name(paths.FORMATS.name)
    if not inventory.is_file():
        raise UserError(f"{model}: nothing says that it is the model that was measured: no {inventory}; {REMEDY}")
    entries = files.read_json(inventory)
    for name, path in ((model.name, model), (paths.ABOUT.name, about)):
        expected, found = _entry(entries, name).get("sha256"), files.sha256(path)
        if expected is None:
            raise UserError(f"{path}: not in {inventory}; {REMEDY}")
        if found != expected:
            raise UserError(
                f"{path}: damaged, or another file than was measured: its sha256 is {found[:12]}..., but {inventory} "
                f"says {str(expected)[:12]}...; {REMEDY}"
            )


def accuracy(model: Path) -> float | None:
    """Returns the accuracy of this very file on the test split, None where no inventory says it."""
    inventory = model.with_name(paths.FORMATS.name)
    value = _entry(files.read_json(inventory), model.name).get("accuracy") if inventory.is_file() else None
    return value if isinstance(value, float) and 0 <= value <= 1 else None


def _entry(entries: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    entry = entries.get(name)
    return entry if isinstance(entry, dict) else {}

"""Stage `recipes`: writes each recipe of the comparison in full, what its base says included.

`run` depends on that file: a change of a base trains again what it changes, and no other recipe.
"""

from pathlib import Path

from digits import params
from digits.core import errors, files

FULL = Path("compare/recipes")  # a file per recipe


def main() -> None:
    """Reads `params.yaml` alone."""
    parameters = params.load()
    for name in parameters.compare.recipes:
        # Not as metrics are written, with six decimals: any change counts.
        files.write_text(FULL / f"{name}.json", parameters.recipes[name].model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    errors.run(main)

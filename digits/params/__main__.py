"""Checks `params.yaml` and prints the active recipe in full: `python -m digits.params`.

DVC ignores keys that no stage declares; this command checks every key.
"""

import json

from digits.core import errors, paths
from digits.params import load


def main() -> None:
    """Prints the dataset, the recipe, and each of the recipe's keys with its value."""
    parameters = load()
    print(f"{paths.PARAMS}: dataset {parameters.dataset}, recipe {parameters.recipe}")
    for key, value in parameters.active_recipe.model_dump().items():
        print(f"  {key}: {json.dumps(value)}")


if __name__ == "__main__":
    errors.run(main)

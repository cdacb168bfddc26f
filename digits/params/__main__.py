"""`python -m digits.params`: DVC does not look at keys that no stage declares, this does."""

from digits.core import errors, paths
from digits.params import load


def main() -> None:
    """`python -m digits.params`: DVC does not look at keys that no stage declares, this does."""
    parameters = load()
    print(f"{paths.PARAMS}: dataset {parameters.dataset}, recipe {parameters.recipe}")


if __name__ == "__main__":
    errors.run(main)

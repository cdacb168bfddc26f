"""Brings the pipeline up to date: `make repro`.

    python -m tools.repro           # or with options and targets of `dvc repro`

It checks `params.yaml`, also the keys that no stage declares, mends what an interruption left, and starts DVC.
"""

import sys

from digits.core.errors import run
from digits.params import __main__ as params
from tools import mend, unicode_dvc


def main() -> None:
    """Reproduces, and ends with the status of DVC."""
    mend.main()
    params.main()
    sys.stdout.flush()
    if status := unicode_dvc.run("repro", *sys.argv[1:]):
        sys.exit(status)


if __name__ == "__main__":
    run(main)

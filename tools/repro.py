"""Brings the pipeline up to date: `make repro`.

    python -m tools.repro           # or with options and targets of `dvc repro`

It checks `params.yaml`, also the keys that no stage declares, mends what an interruption left, and starts DVC.
"""

import sys
from pathlib import Path

from digits.core.errors import UserError, run
from digits.params import __main__ as params
from tools import mend, unicode_dvc


def main() -> None:
    """Reproduces, and ends with the status of DVC."""
    refuse_company()
    mend.main()
    params.main()
    sys.stdout.flush()
    if status := unicode_dvc.run("repro", *sys.argv[1:]):
        sys.exit(status)


def refuse_company() -> None:
    """Refuses to start beside another DVC that makes outputs here: one of both would fail, in the middle.

    Raises:
        UserError: there is one.
    """
    if others := unicode_dvc.patches.writers(Path(".dvc/tmp/rwlock")):
        raise UserError(f"another DVC is at work here (process {others[0]}): wait for it, or end it: kill {others[0]}")


if __name__ == "__main__":
    run(main)

"""Compares two runs and says what is more than chance: `make diff`, and `make gate`, which fails on a regression.

    python -m tools.review main                # this folder against the branch main
    python -m tools.review main better --gate  # the branch `better`, and exit status 1 if a figure is too much worse

Writes `runs/review/report.md` and `report.html`, which need no network. Predictions and curves come from DVC's cache;
`dvc fetch --all-branches` brings those of other branches from the storage.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from digits.core import files, paths
from digits.core.errors import UserError, run
from digits.splits import tfrecords
from digits.splits.split import Split
from tools import configure_dvc
from tools.review import charts, gate, text
from tools.review.figures import compared
from tools.review.pictures import pictures
from tools.review.side import Side, read

FOLDER = Path("runs/review")


def main() -> None:
    """Writes the report, prints it as Markdown, and with `--gate` fails on objections."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="branch, commit or experiment to compare with")
    parser.add_argument("this", nargs="?", help="the other one; without it the work tree")
    parser.add_argument("--gate", action="store_true", help="fail if a figure is worse than tolerances.yaml allows")
    arguments = parser.parse_args()
    configure_dvc.check()
    base, this = read(arguments.base), read(arguments.this)
    figures = compared(base, this)
    report = text.markdown(base, this, figures)
    files.write_text(FOLDER / "report.md", f"{report}\n{charts.markdown(base, this)}")
    files.write_text(FOLDER / "report.html", text.page(base, this, figures, pictures(base, this, _images(base, this))))
    print(report)
    print(f"Curves and images: {FOLDER / 'report.html'}", file=sys.stderr)
    if arguments.gate and (objections := gate.objections(figures, gate.tolerances())):
        raise UserError("; ".join(objections))


def _images(base: Side, this: Side) -> Split | None:
    """Returns the test images in this folder, if they are those of both runs."""
    if not base.same_data(this) or not (paths.TFRECORDS / tfrecords.SPEC).exists():
        return None
    test = tfrecords.read(paths.TFRECORDS, "test")
    rows = this.predictions or []
    names = tfrecords.read_spec(paths.TFRECORDS).classes
    fits = len(rows) == len(test) and np.array_equal(
        [names[label] for label in test.labels], [r["actual"] for r in rows]
    )
    return test if fits else None


if __name__ == "__main__":
    run(main)

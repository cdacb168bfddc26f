"""Evaluates a model on the drawings that users corrected on the page: `make evaluate-drawn`.

python -m tools.evaluate_drawn --model models/model_int8.tflite
"""

import argparse
from pathlib import Path

from apps.catalogue import chosen
from apps.demo import corrections
from digits.core import errors, paths
from digits.metrics import intervals
from digits.serving.predictor import Predictor


def main() -> None:
    """Prints the accuracy and each mistake."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="default: the exported one")
    parser.add_argument("--allow", action="store_true", help="run the model even if formats.json lists another file")
    parser.add_argument("--folder", type=Path, default=paths.DRAWN, help="default: %(default)s")
    arguments = parser.parse_args()
    drawn = corrections.read(arguments.folder)
    predictor = Predictor(*chosen(arguments.model), checked=not arguments.allow)
    digits = refused = right = others = 0
    for file, picture, label in drawn:
        answer = predictor(picture)
        if label is None:
            others += 1
            refused += answer.verdict != "sure"
            continue
        if label not in predictor.about.classes:  # kept for another model
            continue
        digits += 1
        right += answer.best == label
        if answer.best != label:
            print(f"{file}: is {label}, read as {answer}")
    if digits:
        low, high = intervals.wilson_interval(right, digits)
        print(f"digits      {right} of {digits} right: {right / digits:.2%}, 95 % interval {low:.2%} to {high:.2%}")
    if others:
        print(f"no digits   {refused} of {others} get no sure answer")
    if left_out := len(drawn) - digits - others:
        print(f"left out    {left_out}, which are labelled with classes that this model does not have")


if __name__ == "__main__":
    errors.run(main)

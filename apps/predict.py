"""Classifies image files, and prints a line for each.

python -m apps.predict seven.png photo.jpg
python -m apps.predict --json --model models/model_int8.tflite *.png
python -m apps.predict --each meter.jpg
"""

import argparse
import json
import sys
from pathlib import Path

from apps.catalogue import chosen
from digits.core import errors
from digits.core.errors import UserError
from digits.serving import image_file
from digits.serving.predictor import NOTHING, Predictor


def main() -> None:
    """Skips files that cannot be read; the exit status is then 1."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.predict", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="an image of a digit, any size and colours")
    parser.add_argument("--model", type=Path, help="default: the exported one")
    parser.add_argument("--about", type=Path, help="default: about.json beside the model")
    parser.add_argument("--allow", action="store_true", help="run the model even if formats.json lists another file")
    parser.add_argument("--each", action="store_true", help="read each digit of an image, from left to right")
    parser.add_argument("--json", action="store_true", help="a JSON object for each file, with all probabilities")
    arguments = parser.parse_args()
    predictor = Predictor(*chosen(arguments.model, arguments.about), checked=not arguments.allow)
    failed = 0
    for file in arguments.files:
        try:
            line = _line(predictor, file, each=arguments.each, as_json=arguments.json)
        except (UserError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            print(f"{file}: {reason}", file=sys.stderr)
            failed += 1
        else:
            print(errors.readable(line, sys.maxsize))
    if failed:
        raise UserError(f"{failed} of {len(arguments.files)} files could not be read")


def _line(predictor: Predictor, file: Path, *, each: bool, as_json: bool) -> str:
    """What is printed for a file."""
    drawing = image_file.decode(image_file.read(file))
    if not each:
        answer = predictor(drawing)
        return json.dumps({"file": str(file), **answer.as_dict()}) if as_json else f"{file}: {answer}"
    answers = predictor.each(drawing)
    if as_json:
        return json.dumps({"file": str(file), "digits": [answer.as_dict() for answer in answers]})
    return f"{file}: {', '.join(map(str, answers)) or NOTHING}"


if __name__ == "__main__":
    errors.run(main)

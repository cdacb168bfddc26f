"""What do image files show? A line for each.

python -m digits.predict seven.png photo.jpg
python -m digits.predict --json --model models/model_int8.tflite *.png
"""

import argparse
import json
import sys
from pathlib import Path

from digits import errors, imagefile
from digits.errors import UserError
from digits.predictor import Answer, Predictor, chosen


def main() -> None:
    """Goes on after a file that cannot be read, and ends with status 1 then."""
    parser = argparse.ArgumentParser(
        prog="python -m digits.predict", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="an image of one digit, any size and colours"
    )
    parser.add_argument("--model", type=Path, help="default: the exported one")
    parser.add_argument("--about", type=Path, help="default: about.json beside the model")
    parser.add_argument("--json", action="store_true", help="a JSON object for each file, with all probabilities")
    arguments = parser.parse_args()
    predictor = Predictor(*chosen(arguments.model, arguments.about))
    failed = 0
    for file in arguments.files:
        try:
            answer = predictor([imagefile.decode(file.read_bytes())])[0]
        except (UserError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            print(f"{file}: {reason}", file=sys.stderr)
            failed += 1
        else:
            print(json.dumps({"file": str(file), **as_dict(answer)}) if arguments.json else f"{file}: {answer}")
    if failed:
        raise UserError(f"{failed} of {len(arguments.files)} files could not be read")


def as_dict(answer: Answer) -> dict[str, object]:
    """An answer for a JSON text."""
    return {
        "verdict": answer.verdict,
        "digit": answer.best if answer.verdict in ("sure", "not sure") else None,
        "probabilities": {name: round(value, 6) for name, value in answer.probabilities.items()},
    }


if __name__ == "__main__":
    errors.run(main)

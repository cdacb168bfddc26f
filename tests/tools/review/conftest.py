"""Two runs to compare: `make_side(name, accuracy=0.9, ...)`."""

import pytest

from tools.review.side import Side

CLASSES = ("a", "b")


def predictions(mistakes, total=100):
    """Rows of `plots/predictions.csv` in which the images of these numbers are read wrongly."""
    rows = []
    for number in range(total):
        actual = CLASSES[number % 2]
        wrong = number in mistakes
        predicted = CLASSES[(number + wrong) % 2]
        rows.append({"index": number, "actual": actual, "predicted": predicted, "loss": 2.0 if wrong else 0.1})
    return rows


def side(name, mistakes=range(10), *, data="abc", params=None, headline=None, **changes):
    """A run in which the images of these numbers are read wrongly."""
    figures = {"accuracy": 1 - len(mistakes) / 100, "accuracy_low": 0, "accuracy_high": 1, "loss": 0.1, "weights": 1000}
    content = {
        "params": {"seed": 1, "recipe": "tiny"} | (params or {}),
        "headline": figures | {"int8_bytes": 2000, "val_accuracy": 0.95} | (headline or {}),
        "totals": {"accuracy": 100, "val_accuracy": 1000, "drawings": 100},
        "data": data,
        "predictions": predictions(set(mistakes)),
        "history": [
            {"epoch": epoch, "loss": 1 / epoch, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5}
            for epoch in (1.0, 2.0)
        ],
    }
    return Side(name, **(content | changes))


@pytest.fixture
def make_side():
    return side

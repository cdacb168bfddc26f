import numpy as np
import pytest

from digits.evaluation import summary_text
from digits.metrics import scoring

CLASSES = ["a", "b", "c"]


@pytest.fixture(scope="module")
def predicted():
    """600 labels and probabilities that are right about 70 % of the time."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 600)
    logits = generator.normal(size=(600, 3))
    logits[np.arange(600), labels] += 1.2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, probabilities.astype(np.float32)


def test_the_table_shows_each_class(predicted):
    text = summary_text.table(scoring.summarize(*predicted, CLASSES))
    assert all(f"\n    {name}  " in text for name in CLASSES)
    assert "95 % interval" in text

import numpy as np

from digits.evaluation import summary_text
from digits.metrics import scoring


def test_the_table_shows_each_class():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.6, 0.2, 0.2]])
    text = summary_text.table(scoring.summarize(np.array([0, 1, 2]), probabilities, ["a", "b", "c"]))
    assert "accuracy           66.67%   95 % interval" in text
    assert "(2 of 3)" in text
    assert all(f"\n    {name}  " in text for name in "abc")

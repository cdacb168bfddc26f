import numpy as np

from digits.evaluation.examples import hardest_mistakes


def test_the_hardest_mistakes_come_first():
    labels = np.array([0, 0, 0, 0])
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.1, 0.9], [0.3, 0.7]])
    assert hardest_mistakes(labels, probabilities, 5).tolist() == [2, 3, 1]
    assert hardest_mistakes(labels, probabilities, 2).tolist() == [2, 3]


def test_no_mistakes_are_no_mistakes():
    assert hardest_mistakes(np.array([0]), np.array([[0.9, 0.1]]), 5).size == 0

"""Temperature scaling (Guo et al., https://arxiv.org/abs/1706.04599)."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

DECIMALS = 3  # of a temperature: far finer than its spread between seeds
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
SMALLEST = np.finfo(np.float32).tiny  # a probability of 0 for what is true would cost an infinite loss


def temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The number to divide the logits by so that the cross-entropy is smallest.

    Args:
        labels: int `[N]`, of examples that were not learnt from.
        probabilities: float `[N, classes]`; their logarithms are logits.

    Returns:
        `MIN_TEMPERATURE` to `MAX_TEMPERATURE`; above 1 for an overconfident network. 1 where no example was misread:
        then nothing shows how confident is too confident, and the smallest cross-entropy would be that of certainty.
    """
    if (probabilities.argmax(axis=1) == labels).all():
        return 1.0
    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))

    def loss(log_temperature: float) -> float:
        log_probabilities = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-log_probabilities[np.arange(len(labels)), labels].mean())

    found = minimize_scalar(loss, bounds=(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)), method="bounded")
    return round(float(np.exp(found.x)), DECIMALS)


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The probabilities after their logits were divided by `temperature`; rows that sum to 1."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST)) / temperature
    return np.asarray(np.exp(log_softmax(logits, axis=1)))

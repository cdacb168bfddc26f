"""Temperature scaling (Guo et al., https://arxiv.org/abs/1706.04599)."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

DECIMALS = 3  # of a temperature; finer than its spread between seeds
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
SMALLEST = np.finfo(np.float32).tiny  # lower limit of probabilities: 0 for the true class would give an infinite loss


def temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Fits the temperature: the divisor of the logits that minimises the cross-entropy.

    Args:
        labels: int `[N]`, of examples that were not trained on.
        probabilities: float `[N, classes]`; their logarithms are logits.

    Returns:
        `MIN_TEMPERATURE` to `MAX_TEMPERATURE`; above 1 for an overconfident network.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))
    doubt = _doubt(labels, probabilities)

    def loss(log_temperature: float) -> float:
        log_probabilities = log_softmax(logits / np.exp(log_temperature), axis=1)
        true = log_probabilities[np.arange(len(labels)), labels]
        if not doubt:
            return float(-true.mean())
        others = (log_probabilities.sum(axis=1) - true) / (probabilities.shape[1] - 1)
        return float(-((1 - doubt) * true + doubt * others).mean())

    minimum = minimize_scalar(loss, bounds=(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)), method="bounded")
    return round(float(np.exp(minimum.x)), DECIMALS)


def _doubt(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The probability that goes to the other classes in the targets of the fit: 0 if any example is misread.

    Without a misread example the cross-entropy has no minimum: it falls with the temperature. Then each target is
    smoothed as by one misread example more (J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999).
    """
    misread = (probabilities.argmax(axis=1) != labels).any()
    return 0.0 if misread else 1 / (len(labels) + 2)


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Returns the probabilities after dividing their logits by `temperature`; rows sum to 1."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST)) / temperature
    return np.asarray(np.exp(log_softmax(logits, axis=1)))

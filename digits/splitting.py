"""A part of a split set aside, with the class proportions kept."""

import numpy as np
from sklearn.model_selection import train_test_split

from digits.errors import UserError
from digits.examples import Split


def stratified(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Sets `fraction` of each class aside; both parts keep the order of the examples.

    Returns:
        The rest, and the part set aside.

    Raises:
        UserError: there are too few examples for every class to be in both parts.
    """
    try:
        rest, aside = train_test_split(
            np.arange(len(split)), test_size=fraction, stratify=split.labels, random_state=seed
        )
    except ValueError as error:
        raise UserError(
            f"{fraction:g} of {len(split)} images cannot be set aside by class ({error}); another "
            "preprocess.validation_fraction may"
        ) from error
    return split.take(np.sort(rest)), split.take(np.sort(aside))


def hold_out(training: Split, validation: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Moves examples from `training` to `validation`, by class, until that holds `fraction` of both together."""
    missing = round(fraction * (len(training) + len(validation))) - len(validation)
    if missing <= 0:
        return training, validation
    rest, more = stratified(training, missing / len(training), seed)
    images, labels = (
        np.concatenate([getattr(part, name) for part in (validation, more)]) for name in ("images", "labels")
    )
    return rest, Split(images, labels)


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """The indices of the first `count` examples of each class, class after class."""
    return np.concatenate([np.flatnonzero(labels == label)[:count] for label in np.unique(labels)])

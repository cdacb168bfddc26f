"""A part of a split set aside, with the class proportions kept."""

import numpy as np
from sklearn.model_selection import train_test_split

from digits.core.errors import UserError
from digits.splits.split import Split

TEST_FRACTION = 0.2  # of each class


def stratified(split: Split, amount: float | int, seed: int) -> tuple[Split, Split]:
    """Sets a share (float) or number (int) of examples aside, by class; both parts keep the order of the examples.

    Returns:
        The rest, and the part set aside.

    Raises:
        UserError: there are too few examples for every class to be in both parts.
    """
    try:
        rest, aside = train_test_split(
            np.arange(len(split)), test_size=amount, stratify=split.labels, random_state=seed
        )
    except ValueError as error:
        raise UserError(
            f"{amount:g} of {len(split)} images cannot be set aside by class ({error}); try another validation_fraction"
        ) from error
    return split.take(np.sort(rest)), split.take(np.sort(aside))


def split_off_test(split: Split) -> tuple[Split, Split]:
    """Training and test parts of a set that has no test split; always the same, because the user does not choose it."""
    return stratified(split, TEST_FRACTION, seed=0)


def enlarge_validation(training: Split, validation: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Moves examples from `training` to `validation`, by class, until that holds `fraction` of both together."""
    missing = round(fraction * (len(training) + len(validation))) - len(validation)
    if missing <= 0:
        return training, validation
    rest, more = stratified(training, missing, seed)
    images, labels = (
        np.concatenate([getattr(part, name) for part in (validation, more)]) for name in ("images", "labels")
    )
    return rest, Split(images, labels)


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """The indices of the first `count` examples of each class, class after class."""
    return np.concatenate([np.flatnonzero(labels == label)[:count] for label in np.unique(labels)])

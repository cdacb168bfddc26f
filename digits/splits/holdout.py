"""Stratified holdout: splits examples off, with the same class proportions in both parts."""

import numpy as np

from digits.core.errors import UserError
from digits.splits.split import Split

TEST_FRACTION = 0.2  # of each class


def stratified(split: Split, amount: float | int, seed: int) -> tuple[Split, Split]:
    """Splits off a share (float) or number (int) of examples, by class; both parts keep their order.

    Returns:
        The rest, and the held-out part.

    Raises:
        UserError: there are too few examples for every class to be in both parts.
    """
    from sklearn.model_selection import train_test_split  # noqa: PLC0415  # takes a second, and most callers do not split

    try:
        rest, held_out = train_test_split(
            np.arange(len(split)), test_size=amount, stratify=split.labels, random_state=seed
        )
    except ValueError as error:
        raise UserError(
            f"{amount:g} of {len(split)} images cannot be set aside by class ({error}); take another share, or more "
            "images of each class"
        ) from error
    return split.take(np.sort(rest)), split.take(np.sort(held_out))


def split_off_test(split: Split) -> tuple[Split, Split]:
    """Splits a dataset without a test split into training and test parts; the same ones for every seed."""
    return stratified(split, TEST_FRACTION, seed=0)


def enlarge_validation(training: Split, validation: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Moves examples from `training` to `validation`, by class, until `validation` has `fraction` of both."""
    count = round(fraction * (len(training) + len(validation))) - len(validation)
    if count <= 0:
        return training, validation
    rest, moved = stratified(training, count, seed)
    images, labels = (
        np.concatenate([getattr(part, name) for part in (validation, moved)]) for name in ("images", "labels")
    )
    return rest, Split(images, labels)

import numpy as np
import pytest

from digits.core.errors import UserError
from digits.splits.holdout import enlarge_validation, stratified
from digits.splits.split import Split


def keys(split):
    return [image.tobytes() for image in split.images]


def test_the_parts_are_the_whole_without_overlap_in_order(split):
    rest, aside = stratified(split, 0.25, seed=1)
    assert sorted(keys(rest) + keys(aside)) == sorted(keys(split))
    places = {key: place for place, key in enumerate(keys(split))}
    for part in (rest, aside):
        order = [places[key] for key in keys(part)]
        assert order == sorted(order)


def test_class_proportions_are_kept(split):
    _, aside = stratified(split, 0.25, seed=1)
    assert np.bincount(aside.labels).tolist() == [5, 5, 5]


def test_the_seed_decides(split):
    assert keys(stratified(split, 0.5, seed=1)[1]) == keys(stratified(split, 0.5, seed=1)[1])
    assert keys(stratified(split, 0.5, seed=1)[1]) != keys(stratified(split, 0.5, seed=2)[1])


def test_too_few_examples_are_an_error_for_a_person():
    lonely = Split(np.zeros((3, 4, 4, 1), np.uint8), np.array([0, 1, 2]))
    with pytest.raises(UserError, match=r"0\.5 of 3 images cannot be set aside by class"):
        stratified(lonely, 0.5, seed=0)


def test_a_number_is_that_many(split):
    assert len(stratified(split, 7, seed=1)[1]) == 7


@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.77])
def test_holding_more_out_moves_examples_by_class(split, fraction):
    training, validation = stratified(split, 0.25, seed=1)
    rest, more = enlarge_validation(training, validation, fraction, seed=1)
    assert len(more) == round(fraction * len(split))
    assert keys(more)[: len(validation)] == keys(validation), "what was held out stays so"
    assert sorted(keys(rest) + keys(more)) == sorted(keys(split))
    assert np.ptp(np.bincount(more.labels)) <= 1


def test_nothing_more_to_enlarge_validation_changes_nothing(split):
    training, validation = stratified(split, 0.25, seed=1)
    assert enlarge_validation(training, validation, 0.25, seed=1) == (training, validation)

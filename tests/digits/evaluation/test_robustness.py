import threading
from pathlib import Path

import numpy as np
import pytest

from digits.drawing import framing, strokes
from digits.evaluation import corruptions, photographs, robustness
from digits.metrics.decision import Decision
from digits.splits.split import Split

DECISION = Decision(sure=0.8, known=0.5)


def answering(*rows):
    """A network that has these answers ready, whatever it is shown."""
    return lambda images: np.array(rows, np.float32)[: len(images)]


def test_scikit_learns_digits_become_frames():
    split = robustness.scikit_learn()
    assert split.images.shape == (1797, 28, 28, 1)
    assert split.images.dtype == np.uint8
    assert split.labels.dtype == np.int64
    assert np.bincount(split.labels).min() > 170
    assert (split.images.max(axis=(1, 2, 3)) > 200).all(), "in each something is drawn"
    rows = (split.images[..., 0] > 0).any(axis=2).sum(axis=1)
    columns = (split.images[..., 0] > 0).any(axis=1).sum(axis=1)
    assert np.median(np.maximum(rows, columns)) == 20


def test_reading_digits_by_hand():
    split = Split(np.zeros((4, 28, 28, 1), np.uint8), np.array([0, 1, 1, 0]))
    metrics = robustness.read_digits(answering([0.9, 0.1], [0.85, 0.15], [0.4, 0.6], [0.3, 0.7]), split, DECISION)
    assert (metrics["accuracy"], metrics["total"]) == (0.5, 4)
    assert metrics["accuracy_low"] < 0.5 < metrics["accuracy_high"]
    assert metrics["refused"] == 0.5
    assert metrics["error"] == 0.5
    unsure = robustness.read_digits(answering(*[[0.6, 0.4]] * 4), split, DECISION)
    assert (unsure["refused"], unsure["error"]) == (1, 0)


def test_refusing_others_by_hand():
    network = answering([0.9, 0.05, 0.05], [0.6, 0.3, 0.1], [0.4, 0.3, 0.3], [0.45, 0.3, 0.25])
    metrics = robustness.refuse_others(network, np.zeros((4, 28, 28, 1), np.uint8), DECISION)
    assert metrics == {"unknown": 0.5, "refused": 0.75, "total": 4}


@pytest.fixture(scope="module")
def drawings():
    return strokes.read(Path("drawings/validation.json"))


@pytest.fixture
def scenarios(monkeypatch):
    some = {name: photographs.MEASURING[name] for name in ("lamp", "sticky note", "window")}
    monkeypatch.setattr(photographs, "MEASURING", some)
    return list(some)


@pytest.mark.parametrize("cores", [1, 4])
def test_photographs_are_the_same_on_any_number_of_cores(scenarios, drawings, monkeypatch, cores):
    monkeypatch.setattr(robustness.os, "cpu_count", lambda: cores)
    names, split = robustness.framed_photographs(drawings, 2, 7)
    assert list(names) == [name for name in scenarios for _ in range(2)]
    for number, (_, label, picture) in enumerate(photographs.pictures(photographs.MEASURING, drawings, 2, 7)):
        (digit,) = framing.find(picture)
        assert split.labels[number] == label
        np.testing.assert_array_equal(split.images[number, ..., 0], digit.frame)


def test_a_photograph_with_two_digits_found_counts_as_refused(scenarios, drawings, monkeypatch):
    find = framing.find
    monkeypatch.setattr(framing, "find", lambda picture: 2 * find(picture))
    names, split = robustness.framed_photographs(drawings, 2, 7)
    assert len(names) == len(split) == 6
    assert set(split.labels) == {robustness.NOT_ONE}
    assert not split.images.any()
    monkeypatch.setattr(robustness, "EACH", 2)
    metrics = robustness.read_photographs(answering(*[[0.9, 0.1]] * 6), drawings, DECISION, 7)
    assert (metrics["right"], metrics["refused"], metrics["wrong"], metrics["total"]) == (0, 1, 0, 6)


def test_reading_photographs_by_hand(scenarios, drawings, monkeypatch):
    monkeypatch.setattr(robustness, "EACH", 2)  # a 0 and a 1 in each scenario
    rows = [[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.4, 0.6], [0.1, 0.9], [0.3, 0.7]]
    metrics = robustness.read_photographs(answering(*rows), drawings, DECISION, 7)
    assert metrics["scenarios"] == {"lamp": 1, "sticky note": 0.5, "window": 0}
    assert [6 * metrics[key] for key in ("right", "refused", "wrong")] == pytest.approx([3, 2, 1])


@pytest.mark.parametrize("frames", [True, False])
def test_under_stress_there_is_a_row_a_strength(frames):
    images = np.zeros((3, 28, 28, 1), np.uint8)
    images[:, 6:22, 12:16] = 255
    labels = np.array([0, 0, 1])
    seen = []

    def network(given):
        seen.append(given)
        return np.tile([0.7, 0.3], (len(given), 1))

    rows = robustness.under_stress(network, Split(images, labels), 3, frames=frames)
    assert [row["distortion"] for row in rows] == [name for name in corruptions.CORRUPTIONS for _ in range(3)]
    assert [row["level"] for row in rows] == ["mild", "medium", "strong"] * len(corruptions.CORRUPTIONS)
    assert [row["strength"] for row in rows] == [s for _, levels in corruptions.CORRUPTIONS.values() for s in levels]
    for row in rows:
        assert row["accuracy"] == pytest.approx(2 / 3)
        assert ("framed" in row) == frames
    assert sum(len(given) == 3 for given in seen) >= len(rows)
    assert all(given.shape[1:] == images.shape[1:] and given.dtype == np.uint8 for given in seen)
    if not frames:
        assert len(seen) == len(rows)


def test_what_the_frame_leaves_as_it_is_is_not_read_twice(monkeypatch):
    images = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1).repeat(28, axis=1).repeat(28, axis=2)
    monkeypatch.setattr(robustness.corruptions, "corrupted", lambda given, seed: [("none", 0, given)])
    monkeypatch.setattr(robustness, "framed", lambda given: np.where(images % 2 == 1, images + 10, images))
    seen = []

    def network(given):
        numbers = given[:, 0, 0, 0]
        seen.append(numbers.tolist())
        return np.stack([numbers < 10, numbers >= 10], axis=1).astype(np.float32)

    [row] = robustness.under_stress(network, Split(images, np.array([0, 0, 0, 1])), 3, frames=True)
    assert seen == [[0, 1, 2, 3], [11, 13]]
    assert (row["accuracy"], row["framed"]) == (0.75, 0.75)


def test_what_is_made_in_advance_comes_in_order_and_an_error_with_it():
    def items():
        yield from range(5)
        raise ValueError("the sixth")

    in_advance = robustness._in_advance(items())
    assert [next(in_advance) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="the sixth"):
        next(in_advance)
    assert list(robustness._in_advance(iter("abc"))) == ["a", "b", "c"]
    assert list(robustness._in_advance(iter(()))) == []


def test_the_next_is_made_while_one_is_used():
    made = threading.Event()

    def items():
        yield "first"
        made.set()
        yield "second"

    in_advance = robustness._in_advance(items())
    assert next(in_advance) == "first"
    assert made.wait(10), "nobody asked for the second yet"
    assert next(in_advance) == "second"


def test_after_framing_a_shift_is_no_more():
    # A network that knows an image by its place alone.
    images = np.zeros((4, 28, 28, 1), np.uint8)
    images[:, 6:22, 12:16] = 255

    def network(given):
        mass = given[..., 0].sum(axis=(1, 2), dtype=float)
        centred = np.ones(len(given), bool)
        for axis in (1, 2):
            along = given[..., 0].sum(axis=axis, dtype=float) @ np.arange(28) / mass
            centred &= np.abs(along - 13.5) <= 1
        return np.stack([centred, ~centred], axis=1).astype(np.float32)

    rows = robustness.under_stress(network, Split(images, np.zeros(4, int)), 3, frames=True)
    (row,) = [row for row in rows if row["distortion"] == "shift" and row["level"] == "strong"]
    assert row["accuracy"] < 1
    assert row["framed"] == 1


def test_the_surest_mistakes_come_first():
    first = Split(np.full((2, 28, 28, 1), 1, np.uint8), np.array([0, 1]))
    second = Split(np.full((2, 28, 28, 1), 2, np.uint8), np.array([1, 0]))
    network = answering([0.4, 0.6], [0.2, 0.8], [0.9, 0.1], [0.7, 0.3])
    images = robustness.misread(network, [first, second])
    assert images["misread_images"][:, 0, 0, 0].tolist() == [2, 1]
    assert images["misread_labels"].tolist() == [1, 0]
    assert images["misread_answers"].tolist() == [0, 1]


def test_no_more_are_kept_than_are_shown():
    many = Split(np.zeros((100, 28, 28, 1), np.uint8), np.ones(100, int))
    images = robustness.misread(lambda images: np.tile([1.0, 0.0], (len(images), 1)), [many])
    assert len(images["misread_images"]) == robustness.SHOWN

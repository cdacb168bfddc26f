import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from digits.metrics import intervals
from digits.metrics.decision import Decision, consequences, decide, trade_off


def two(*confidences):
    """Probabilities of two classes; the answer is always the first."""
    return np.array([[confidence, 1 - confidence] for confidence in confidences])


def test_a_decision_in_words():
    decision = Decision(sure=0.8, known=0.3)
    said = [decision(confidence) for confidence in (0.0, 0.29, 0.3, 0.79, 0.8, 1.0)]
    assert said == ["unknown", "unknown", "not sure", "not sure", "sure", "sure"]
    assert decision.as_dict() == {"sure": 0.8, "known": 0.3}


def test_sure_is_the_lowest_confidence_that_keeps_the_promise():
    # Right, right, right, wrong, right, wrong from the top: 1 of 4 and 1 of 5 are wrong, then 2 of 6.
    probabilities = two(0.95, 0.9, 0.85, 0.8, 0.7, 0.6)
    labels = np.array([0, 0, 0, 1, 0, 1])
    for max_error_when_sure, sure in [(0.0, 0.85), (0.19, 0.85), (0.2, 0.7), (0.33, 0.7), (0.34, 0.6), (1.0, 0.6)]:
        decision = decide(labels, probabilities, max_error_when_sure=max_error_when_sure, min_refused=0, max_rejected=0)
        assert decision.sure == pytest.approx(sure, abs=2e-6), max_error_when_sure


def test_equal_confidences_are_answered_together_or_not_at_all():
    # Taken one after the other, the first two would pass.
    probabilities = two(0.9, 0.8, 0.8, 0.8)
    for labels in ([0, 0, 0, 1], [0, 1, 0, 0]):
        assert decide(
            np.array(labels), probabilities, max_error_when_sure=0, min_refused=0, max_rejected=0
        ).sure == pytest.approx(0.9)
        assert decide(
            np.array(labels), probabilities, max_error_when_sure=0.25, min_refused=0, max_rejected=0
        ).sure == pytest.approx(0.8)


def test_a_share_is_refused_even_where_nothing_is_wrong():
    probabilities = two(*np.linspace(0.6, 0.99, 40))
    for min_refused, refused in [(0.0, 0), (0.02, 0), (0.025, 1), (0.26, 10)]:
        decision = decide(
            np.zeros(40, int), probabilities, max_error_when_sure=0, min_refused=min_refused, max_rejected=0
        )
        assert (probabilities.max(axis=1) < decision.sure).sum() == refused
    # One mistake above that share asks for more.
    wrong = np.where(np.arange(40) == 30, 1, 0)
    decision = decide(wrong, probabilities, max_error_when_sure=0, min_refused=0.26, max_rejected=0)
    assert (probabilities.max(axis=1) < decision.sure).sum() == 31


def test_known_loses_no_more_than_it_may():
    probabilities = two(*np.linspace(0.6, 0.99, 40))
    labels = np.zeros(40, int)
    for max_rejected, lost in [(0.0, 0), (0.02, 0), (0.025, 1), (0.26, 10)]:
        # A mistake in every fourth answer: nothing below the top is sure, so that only `max_rejected` bounds `known`.
        wrong = np.where(np.arange(40) % 4 == 2, 1, labels)
        decision = decide(wrong, probabilities, max_error_when_sure=0, min_refused=0, max_rejected=max_rejected)
        assert (probabilities.max(axis=1) < decision.known).sum() == lost


def test_what_is_sure_is_never_unknown():
    decision = decide(np.zeros(4, int), two(0.6, 0.7, 0.8, 0.9), max_error_when_sure=0, min_refused=0, max_rejected=0.9)
    assert decision.known <= decision.sure == pytest.approx(0.6)


def test_a_single_example_is_enough():
    right = decide(np.array([0]), two(0.7), max_error_when_sure=0, min_refused=0, max_rejected=0.5)
    assert right.sure == right.known == pytest.approx(0.7)
    wrong = decide(np.array([1]), two(0.7), max_error_when_sure=0, min_refused=0, max_rejected=0)
    assert wrong.sure > 1
    assert wrong(0.7) == "not sure"


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    rows=st.lists(st.tuples(st.integers(50, 99), st.booleans()), min_size=1, max_size=60),
    max_error_when_sure=st.sampled_from([0.0, 0.01, 0.1, 0.3, 1.0]),
    min_refused=st.sampled_from([0.0, 0.1, 0.6]),
    max_rejected=st.sampled_from([0.0, 0.05, 0.5]),
)
def test_the_promises_are_kept_on_what_they_were_made_on(rows, max_error_when_sure, min_refused, max_rejected):
    confidences, right = (np.array(column) for column in zip(*rows, strict=True))
    labels, probabilities = np.where(right, 0, 1), two(*(confidences / 100))
    decision = decide(
        labels,
        probabilities,
        max_error_when_sure=max_error_when_sure,
        min_refused=min_refused,
        max_rejected=max_rejected,
    )
    measured = consequences(decision, labels, probabilities)
    assert measured["error"] <= max_error_when_sure
    assert measured["unknown"] <= max_rejected
    assert measured["unknown"] <= measured["refused"] + 1e-12
    # No lower threshold would do.
    for lower in {c / 100 for c in confidences if c / 100 < decision.sure}:
        answered = probabilities.max(axis=1) >= lower
        assert (labels[answered] == 1).mean() > max_error_when_sure or 1 - answered.mean() <= min_refused


def test_consequences_by_hand():
    probabilities = two(0.95, 0.9, 0.85, 0.7, 0.6, 0.52, 0.51, 0.5)
    labels = np.array([0, 1, 0, 1, 0, 0, 1, 0])
    measured = consequences(Decision(sure=0.85, known=0.52), labels, probabilities)
    assert measured == {
        "sure": 0.85,
        "known": 0.52,
        "refused": pytest.approx(5 / 8),
        "unknown": pytest.approx(2 / 8),
        "error": pytest.approx(1 / 3),
    }


def test_where_nothing_is_answered_nothing_is_wrong():
    measured = consequences(Decision(sure=0.99, known=0), np.array([1, 1]), two(0.6, 0.7))
    assert (measured["refused"], measured["error"], measured["unknown"]) == (1, 0, 0)


def test_the_trade_off_by_hand():
    rows = trade_off(np.array([0, 1, 0, 0]), two(0.9, 0.8, 0.7, 0.6), [0.0, 0.65, 0.8, 0.85, 0.95])
    assert [row["threshold"] for row in rows] == [0.0, 0.65, 0.8, 0.85], "nothing is answered at 0.95"
    assert [row["refused"] for row in rows] == pytest.approx([0, 1 / 4, 1 / 2, 3 / 4])
    assert [row["error"] for row in rows] == pytest.approx([1 / 4, 1 / 3, 1 / 2, 0])
    assert (rows[0]["error_low"], rows[0]["error_high"]) == intervals.wilson_interval(1, 4)


def test_the_trade_off_refuses_more_the_higher_the_threshold():
    generator = np.random.default_rng(0)
    labels, logits = generator.integers(0, 5, 500), generator.normal(0, 2, (500, 5))
    rows = trade_off(labels, softmax(logits, axis=1))
    refused = [row["refused"] for row in rows]
    assert refused == sorted(refused)
    assert refused[0] == 0
    assert rows[0]["error"] == pytest.approx((logits.argmax(axis=1) != labels).mean())
    assert len(rows) > 50
    assert all(row["error_low"] <= row["error"] <= row["error_high"] for row in rows)


def test_where_no_threshold_keeps_the_promise_nothing_is_sure():
    probabilities = np.array([[1.0, 0.0]] * 3)
    decision = decide(np.array([1, 0, 0]), probabilities, max_error_when_sure=0.1, min_refused=0, max_rejected=0)
    assert decision(1.0) != "sure"


def test_confidences_that_files_do_not_tell_apart_are_answered_together():
    confidence = np.array([0.9999996, 0.9999991])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    decision = decide(np.array([0, 1]), probabilities, max_error_when_sure=0, min_refused=0, max_rejected=0)
    assert decision(0.9999996) != "sure"

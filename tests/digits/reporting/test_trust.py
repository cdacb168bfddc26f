import numpy as np
import pytest

from digits.evaluation import robustness
from digits.metrics.decision import trade_off
from digits.reporting import trust
from tests.conftest import make_split

CLASSES = ["a", "b", "c"]


def texts(figure):
    axes_texts = [text.get_text() for axes in figure.axes for text in (axes.title, axes.xaxis.label, *axes.texts)]
    return [text for text in axes_texts if text]


def test_refusal_shows_the_trade_off_and_the_chosen_threshold():
    labels = np.array([0, 1, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    rows = trade_off(labels, probabilities)
    left, right = (figure := trust.refusal(rows, 0.65)).axes
    refused, error, chosen = left.lines
    assert refused.get_ydata().tolist() == [row["refused"] for row in rows]
    assert error.get_ydata().tolist() == [row["error"] for row in rows]
    assert set(chosen.get_xdata()) == {0.65}
    (curve,) = right.lines
    assert curve.get_xdata().tolist() == [row["refused"] for row in rows]
    figure.canvas.draw()  # also the axes with a logarithm


def test_refusal_of_a_single_threshold_can_be_drawn():
    rows = trade_off(np.array([0]), np.array([[0.001, 0.0]]))
    assert len(rows) == 1
    trust.refusal(rows, 0.0).canvas.draw()


@pytest.mark.parametrize("columns", [["accuracy"], ["accuracy", "framed"]])
def test_robustness_has_a_row_a_distortion_and_a_panel_a_column(columns):
    rows = [
        {"distortion": name, "level": level, "strength": 1.0, **dict.fromkeys(columns, value)}
        for name, values in (("blur", (0.9, 0.8, 0.7)), ("noise", (0.95, 0.85, 0.25)))
        for level, value in zip(("mild", "medium", "strong"), values, strict=True)
    ]
    figure = trust.robustness(rows)
    assert len(figure.axes) == len(columns)
    for axes in figure.axes:
        assert [label.get_text() for label in axes.get_yticklabels()] == ["blur", "noise"]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["mild", "medium", "strong"]
        cells = {text.get_position(): text.get_text() for text in axes.texts}
        assert cells[(2, 0)] == "70.0%"
        assert cells[(2, 1)] == "25.0%"


def pictures(stressed):
    labels = np.array([0, 1, 2, 0])
    probabilities = np.array([[0.9, 0.05, 0.05], [0.2, 0.6, 0.2], [0.5, 0.3, 0.2], [0.8, 0.1, 0.1]])
    stress = [
        {"distortion": name, "level": level, "strength": 0.5, "accuracy": 0.9}
        for name in ("blur", "shift")
        for level in robustness.LEVELS
    ]
    examples = make_split(2, seed=0).images
    return trust.pictures(trade_off(labels, probabilities), 0.55, stress, {"examples": examples, **stressed}, CLASSES)


def test_of_trust_shows_the_distortions_and_what_is_misread():
    split = make_split(1, seed=0)
    drawn = pictures(
        {
            "misread_images": split.images[:2],
            "misread_labels": np.array([0, 2]),
            "misread_answers": np.array([1, 0]),
        }
    )
    assert set(drawn) == {"refusal", "robustness", "stressed", "misread"}
    assert drawn["stressed"].axes[0].texts[0].get_text() == "blur\n0.5"
    assert len(drawn["stressed"].axes[0].texts) == 6
    assert [text.get_text() for text in drawn["misread"].axes[0].texts] == ["a, read as b", "c, read as a"]
    assert drawn["misread"].get_suptitle() == "other people's digits, misread"


def test_of_trust_without_other_peoples_digits():
    drawn = pictures({})
    assert drawn["misread"].get_suptitle() == "none misread"
    assert not any(axes.images for axes in drawn["misread"].axes)

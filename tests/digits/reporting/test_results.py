import numpy as np
import pytest

from digits.evaluation import examples
from digits.metrics import scoring
from digits.reporting import results
from tests.conftest import make_split

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 1), np.uint8)

CLASSES = ["a", "b", "c"]


def texts(figure):
    axes_texts = [text.get_text() for axes in figure.axes for text in (axes.title, axes.xaxis.label, *axes.texts)]
    return [text for text in axes_texts if text]


def test_the_confusion_matrix_has_its_counts():
    figure = results.confusion(np.array([[5, 1], [0, 4]]), ["a", "b"])
    assert texts(figure) == ["1 mistakes in 10", "predicted", "5", "1", "·", "4"]


def test_sample_predictions_mark_truth_and_mistake():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    figure = results.sample_predictions(IMAGES[:2], probabilities, [0, 2], ["a", "b", "c"])
    assert texts(figure)[:2] == ["a with 70.0%\n(is a)", "b with 80.0%\n(is c)"]
    lengths = [bar.get_width() for bar in figure.axes[2].patches]
    assert lengths == [0.7, 0.2, 0.1]


def test_the_reliability_diagram_shows_the_table():
    names = ("confidence", "accuracy", "accuracy_low", "accuracy_high", "count")
    table = [dict(zip(names, row, strict=True)) for row in ((0.5, 0.4, 0.2, 0.7, 10), (0.9, 0.95, 0.9, 0.97, 90))]
    figure = results.reliability(table, 0.012)
    assert figure.axes[0].get_title() == "expected calibration error 1.20%"
    (container,) = figure.axes[0].containers
    points, _, (bars,) = container
    assert list(points.get_ydata()) == [0.4, 0.95]
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [
        pytest.approx([0.2, 0.7]),
        pytest.approx([0.9, 0.97]),
    ]


def test_of_results_shows_the_mistakes_with_their_captions():
    split = make_split(4, seed=0)
    probabilities = np.full((12, 3), 0.05, np.float32)
    probabilities[np.arange(12), split.labels] = 0.9
    probabilities[5] = np.roll([0.9, 0.05, 0.05], (split.labels[5] + 1) % 3)
    drawn = results.pictures(
        scoring.predictions(split.labels, probabilities, CLASSES),
        scoring.reliability(split.labels, probabilities),
        examples.showcase(split, probabilities, samples=2, mistakes=9),
        CLASSES,
    )
    assert set(drawn) == {"confusion", "mistakes", "predictions", "reliability"}
    (mistake,) = drawn["mistakes"].axes
    actual, predicted = CLASSES[split.labels[5]], CLASSES[(split.labels[5] + 1) % 3]
    assert mistake.texts[0].get_text() == f"{actual}, read as {predicted}\n90.0%"
    assert drawn["confusion"].axes[0].get_title() == "1 mistakes in 12"
    assert len(drawn["predictions"].axes) == 4

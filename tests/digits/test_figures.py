import numpy as np
import pytest

from digits import calibration, figures

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 1), np.uint8)
HISTORY = [
    {"epoch": e, "loss": 1 / e, "val_loss": 1.1 / e, "accuracy": 0.9, "val_accuracy": 0.95, "learning_rate": 0.1}
    for e in (1, 2, 3)
]


def texts(figure):
    axes_texts = [text.get_text() for axes in figure.axes for text in (axes.title, axes.xaxis.label, *axes.texts)]
    return [text for text in axes_texts if text]


def test_training_curves_show_both_splits():
    figure = figures.training_curves(HISTORY)
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy", "learning rate"]
    loss = figure.axes[0]
    assert [line.get_ydata().tolist() for line in loss.lines] == [
        [r["loss"] for r in HISTORY],
        [r["val_loss"] for r in HISTORY],
    ]


def test_the_confusion_matrix_has_its_counts():
    figure = figures.confusion(np.array([[5, 1], [0, 4]]), ["a", "b"])
    assert texts(figure) == ["1 mistakes in 10", "predicted", "5", "1", "·", "4"]


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_gallery_shows_each_image_with_its_caption(count, channels):
    captions = [f"number {number}" for number in range(count)]
    figure = figures.gallery(IMAGES[:count].repeat(channels, axis=-1), captions, title="t", columns=4)
    shown = [axes.get_title() for axes in figure.axes if axes.images]
    assert shown == captions


def test_sample_predictions_mark_truth_and_mistake():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    figure = figures.sample_predictions(IMAGES[:2], probabilities, [0, 2], ["a", "b", "c"])
    assert texts(figure)[:2] == ["a with 70.0%\n(is a)", "b with 80.0%\n(is c)"]
    lengths = [bar.get_width() for bar in figure.axes[2].patches]
    assert lengths == [0.7, 0.2, 0.1]


def test_the_reliability_diagram_shows_the_table():
    names = ("confidence", "accuracy", "accuracy_low", "accuracy_high", "count")
    table = [dict(zip(names, row, strict=True)) for row in ((0.5, 0.4, 0.2, 0.7, 10), (0.9, 0.95, 0.9, 0.97, 90))]
    figure = figures.reliability(table, 0.012)
    assert figure.axes[0].get_title() == "expected calibration error 1.20%"
    (container,) = figure.axes[0].containers
    points, _, (bars,) = container
    assert list(points.get_ydata()) == [0.4, 0.95]
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [
        pytest.approx([0.2, 0.7]),
        pytest.approx([0.9, 0.97]),
    ]


@pytest.mark.parametrize(
    ("probability", "text"), [(1.0, ">99.9%"), (0.9996, ">99.9%"), (0.985, "98.5%"), (0.0, "0.0%")]
)
def test_rounding_never_makes_certain(probability, text):
    assert figures.percent(probability) == text


def test_class_balance_shows_shares():
    figure = figures.class_balance({"train": {"a": 30, "b": 10}, "test": {"a": 1, "b": 1}})
    assert [bar.get_height() for bar in figure.axes[0].patches] == [0.75, 0.25, 0.5, 0.5]


def test_augmentation_shows_the_original_first():
    versions = np.stack([IMAGES, 255 - IMAGES], axis=1)
    figure = figures.augmentation(IMAGES, versions)
    assert len(figure.axes) == 7 * 3
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), IMAGES[0, ..., 0])
    np.testing.assert_array_equal(figure.axes[2].images[0].get_array(), 255 - IMAGES[0, ..., 0])


def test_refusal_shows_the_trade_off_and_the_chosen_threshold():
    labels = np.array([0, 1, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    rows = calibration.trade_off(labels, probabilities)
    left, right = (figure := figures.refusal(rows, 0.65)).axes
    refused, error, chosen = left.lines
    assert refused.get_ydata().tolist() == [row["refused"] for row in rows]
    assert error.get_ydata().tolist() == [row["error"] for row in rows]
    assert set(chosen.get_xdata()) == {0.65}
    (curve,) = right.lines
    assert curve.get_xdata().tolist() == [row["refused"] for row in rows]
    figure.canvas.draw()  # also the axes with a logarithm


def test_refusal_of_a_single_threshold_can_be_drawn():
    rows = calibration.trade_off(np.array([0]), np.array([[0.001, 0.0]]))
    assert len(rows) == 1
    figures.refusal(rows, 0.0).canvas.draw()


@pytest.mark.parametrize("columns", [["accuracy"], ["accuracy", "framed"]])
def test_robustness_has_a_row_a_distortion_and_a_panel_a_column(columns):
    rows = [
        {"distortion": name, "level": level, "strength": 1.0, **dict.fromkeys(columns, value)}
        for name, values in (("blur", (0.9, 0.8, 0.7)), ("noise", (0.95, 0.85, 0.25)))
        for level, value in zip(("mild", "medium", "strong"), values, strict=True)
    ]
    figure = figures.robustness(rows)
    assert len(figure.axes) == len(columns)
    for axes in figure.axes:
        assert [label.get_text() for label in axes.get_yticklabels()] == ["blur", "noise"]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["mild", "medium", "strong"]
        shown = {text.get_position(): text.get_text() for text in axes.texts}
        assert shown[(2, 0)] == "70.0%"
        assert shown[(2, 1)] == "25.0%"

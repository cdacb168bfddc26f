import numpy as np
import pytest

from compare import figures
from tests.compare.test_markdown import row


@pytest.mark.parametrize("count", [1, 12])
def test_a_point_a_recipe(count):
    (axes,) = figures.accuracy_against_cost([row(f"r{place}", 0.9 + place / 200) for place in range(count)]).axes
    assert len(axes.texts) == count
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_recipe_without_mistakes_has_a_place_too():
    perfect = row("perfect") | {"accuracy": 1.0, "accuracy_low": 0.999, "accuracy_high": 1.0}
    figures.accuracy_against_cost([perfect]).canvas.draw()


def test_a_curve_a_recipe():
    history = [{"epoch": epoch, "val_accuracy": accuracy} for epoch, accuracy in enumerate((0.5, 0.9, 1.0), 1)]
    (axes,) = figures.learning_curves({"a": history, "b": history[:2]}).axes
    assert [line.get_label() for line in axes.get_lines()] == ["a", "b"]
    np.testing.assert_allclose(axes.get_lines()[1].get_ydata(), [0.5, 0.1])


def test_hard_images_none_some_and_more_than_shown():
    images = np.zeros((3, 8, 8, 1), np.uint8)
    for count, total, title in [(0, 0, "0 that all"), (3, 3, "3 that all"), (3, 9, "3 of 9 that all")]:
        figure = figures.hard_images(images[:count], ["x"] * count, total=total, recipes=4)
        assert figure.get_suptitle().startswith(title)

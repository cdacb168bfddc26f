from tools.review import charts
from tools.review.side import Side


def side(name, epochs):
    history = [{"epoch": i + 1, "val_loss": 1 / (i + 1), "val_accuracy": 0.9 + i / 100} for i in range(epochs)]
    return Side(name, {}, {}, history=history)


def test_both_runs_are_lines_of_one_chart():
    text = charts.markdown(side("main", 3), side('the "new" one', 3))
    assert text.count("```mermaid") == text.count("xychart-beta") == 2
    assert "  title \"loss on the validation split: main grey, the 'new' one blue\"" in text
    assert text.count("  line [1, 0.5, 0.33333]\n") == text.count("  line [0.9, 0.91, 0.92]\n") == 2


def test_runs_of_different_lengths_or_without_curves_have_none():
    assert charts.markdown(side("a", 3), side("b", 2)) == ""
    assert charts.markdown(Side("a", {}, {}), side("b", 2)) == ""

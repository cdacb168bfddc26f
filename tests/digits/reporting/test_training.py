from digits.reporting import training

HISTORY = [
    {"epoch": e, "loss": 1 / e, "val_loss": 1.1 / e, "accuracy": 0.9, "val_accuracy": 0.95, "learning_rate": 0.1}
    for e in (1, 2, 3)
]


def test_training_curves_show_both_splits():
    figure = training.training_curves(HISTORY)
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy", "learning rate"]
    loss = figure.axes[0]
    assert [line.get_ydata().tolist() for line in loss.lines] == [
        [r["loss"] for r in HISTORY],
        [r["val_loss"] for r in HISTORY],
    ]


def test_of_training():
    row = {"epoch": 1, "loss": 1, "accuracy": 0.5, "val_loss": 1, "val_accuracy": 0.5, "learning_rate": 0.1}
    assert set(training.pictures([row, row | {"epoch": 2}])) == {"training_curves"}

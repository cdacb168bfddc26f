import pytest

from digits.evaluation import headline

TRAIN = {"val_accuracy": 0.97, "val_loss": 0.2, "weights": 1234, "epochs": 2}
TEST = {
    "accuracy": 0.96,
    "accuracy_low": 0.95,
    "accuracy_high": 0.97,
    "loss": 0.15,
    "ece": 0.02,
    "total": 100,
    "per_class": {"0": {"f1": 1.0}},
    "decision": {"sure": 0.9, "refused": 0.1, "error": 0.01},
}
ROBUSTNESS = {
    "drawings": {"accuracy": 0.8, "refused": 0.4},
    "scikit_learn": {"accuracy": 0.7, "refused": 0.5},
    "photographs": {"right": 0.75, "wrong": 0.01},
    "no_digits": {"refused": 0.6, "unknown": 0.3},
    "stress": {"noise": {"mild": 0.9}},
}
EXPORT = {
    "model.keras": {"agreement": 1.0, "bytes": 9000},
    "model_int8.tflite": {"agreement": 0.99, "bytes": 3000},
}


def figures(**changes):
    return headline.figures(**{"train": TRAIN, "test": TEST, "robustness": ROBUSTNESS, "export": EXPORT, **changes})


def test_each_figure_is_that_of_its_file_and_the_most_important_comes_first():
    assert list(figures().items()) == [
        ("accuracy", 0.96),
        ("accuracy_low", 0.95),
        ("accuracy_high", 0.97),
        ("val_accuracy", 0.97),
        ("loss", 0.15),
        ("ece", 0.02),
        ("refused", 0.1),
        ("wrong_when_sure", 0.01),
        ("drawings", 0.8),
        ("scikit_learn", 0.7),
        ("photographs", 0.75),
        ("no_digits_refused", 0.6),
        ("weights", 1234),
        ("int8_agreement", 0.99),
        ("int8_bytes", 3000),
    ]


@pytest.mark.parametrize(
    ("absent", "names"),
    [
        (["scikit_learn"], ["scikit_learn"]),
        (
            ["drawings", "scikit_learn", "photographs", "no_digits"],
            ["drawings", "scikit_learn", "photographs", "no_digits_refused"],
        ),
    ],
    ids=["the embedded set", "other classes than digits"],
)
def test_what_was_not_measured_is_left_out(absent, names):
    measured = {name: row for name, row in ROBUSTNESS.items() if name not in absent}
    assert figures(robustness=measured) == {key: value for key, value in figures().items() if key not in names}

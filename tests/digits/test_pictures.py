import numpy as np

from digits import calibration, pictures, robustness, scoring
from digits.params import Augmentation
from tests.conftest import make_split

CLASSES = ["a", "b", "c"]
LIMITS = Augmentation(rotation=10, zoom=0, shift=0.1, shear=0, weight=0, coarse=0, noise=0)


def test_of_data():
    split = make_split(20, seed=0)
    counts = {"train": dict.fromkeys(CLASSES, 20), "test": dict.fromkeys(CLASSES, 5)}
    drawn = pictures.of_data(split, CLASSES, counts, LIMITS, seed=1)
    assert set(drawn) == {"class_balance", "samples", "augmentation"}
    assert len(drawn["samples"].axes) == 3 * pictures.SAMPLES_PER_CLASS
    assert len(drawn["augmentation"].axes) == 3 * (pictures.VERSIONS + 1)


def test_of_training():
    row = {"epoch": 1, "loss": 1, "accuracy": 0.5, "val_loss": 1, "val_accuracy": 0.5, "learning_rate": 0.1}
    assert set(pictures.of_training([row, row | {"epoch": 2}])) == {"training_curves"}


def test_of_results_shows_the_mistakes_with_their_captions():
    split = make_split(4, seed=0)
    probabilities = np.full((12, 3), 0.05, np.float32)
    probabilities[np.arange(12), split.labels] = 0.9
    probabilities[5] = np.roll([0.9, 0.05, 0.05], (split.labels[5] + 1) % 3)
    drawn = pictures.of_results(
        scoring.predictions(split.labels, probabilities, CLASSES),
        scoring.reliability(split.labels, probabilities),
        scoring.showcase(split, probabilities, samples=2, mistakes=9),
        CLASSES,
    )
    assert set(drawn) == {"confusion", "mistakes", "predictions", "reliability"}
    (mistake,) = drawn["mistakes"].axes
    actual, predicted = CLASSES[split.labels[5]], CLASSES[(split.labels[5] + 1) % 3]
    assert mistake.get_title() == f"{actual}, read as {predicted}\n90.0%"
    assert drawn["confusion"].axes[0].get_title() == "1 mistakes in 12"
    assert len(drawn["predictions"].axes) == 4


def trust(stressed):
    labels = np.array([0, 1, 2, 0])
    probabilities = np.array([[0.9, 0.05, 0.05], [0.2, 0.6, 0.2], [0.5, 0.3, 0.2], [0.8, 0.1, 0.1]])
    stress = [
        {"distortion": name, "level": level, "strength": 0.5, "accuracy": 0.9}
        for name in ("blur", "shift")
        for level in robustness.LEVELS
    ]
    examples = make_split(2, seed=0).images
    return pictures.of_trust(
        calibration.trade_off(labels, probabilities), 0.55, stress, {"examples": examples, **stressed}, CLASSES
    )


def test_of_trust_shows_the_distortions_and_what_is_misread():
    split = make_split(1, seed=0)
    drawn = trust(
        {
            "misread_images": split.images[:2],
            "misread_labels": np.array([0, 2]),
            "misread_answers": np.array([1, 0]),
        }
    )
    assert set(drawn) == {"refusal", "robustness", "stressed", "misread"}
    assert next(axes.get_title() for axes in drawn["stressed"].axes if axes.images) == "blur\n0.5"
    assert len([axes for axes in drawn["stressed"].axes if axes.images]) == 6
    assert [axes.get_title() for axes in drawn["misread"].axes] == ["a, read as b", "c, read as a"]
    assert drawn["misread"].get_suptitle() == "other people's digits, misread"


def test_of_trust_without_other_peoples_digits():
    drawn = trust({})
    assert drawn["misread"].get_suptitle() == "none misread"
    assert not any(axes.images for axes in drawn["misread"].axes)

import numpy as np

from digits.params import Augmentation
from digits.reporting import data
from tests.conftest import make_split

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 1), np.uint8)

CLASSES = ["a", "b", "c"]

LIMITS = Augmentation(moved=0.5, rotation=10, zoom=0, shift=0.1, shear=0, weight=0, coarse=0, noise=0, corrupted=0)


def texts(figure):
    axes_texts = [text.get_text() for axes in figure.axes for text in (axes.title, axes.xaxis.label, *axes.texts)]
    return [text for text in axes_texts if text]


def test_class_balance_shows_shares():
    figure = data.class_balance({"train": {"a": 30, "b": 10}, "test": {"a": 1, "b": 1}})
    assert [bar.get_height() for bar in figure.axes[0].patches] == [0.75, 0.25, 0.5, 0.5]


def test_augmentation_shows_the_original_first():
    versions = np.stack([IMAGES, 255 - IMAGES], axis=1)
    [axes] = data.distortions(IMAGES, versions).axes
    assert texts(axes.figure) == ["original", "as trained on"]
    assert len(axes.patches) == 7 * 3
    for place, shown in ((0, IMAGES[0]), (2, 255 - IMAGES[0]), (3, IMAGES[1])):
        column, row = (round(edge + 0.5) for edge in axes.patches[place].get_xy())
        sheet = axes.images[0].get_array()
        np.testing.assert_array_equal(sheet[row : row + 8, column : column + 8], shown[..., 0])


def test_every_image_gets_its_share_of_what_concerns_a_part_of_a_batch():
    limits = LIMITS.model_copy(update={"rotation": 0, "shift": 0, "coarse": 0.5})
    versions = data.versions(IMAGES, limits, seed=1)
    assert versions.shape == (7, data.VERSIONS, 8, 8, 1)
    changed = (versions != IMAGES[:, None]).any(axis=(2, 3, 4))
    assert 0.4 < changed.mean() < 0.6
    assert (changed.sum(axis=1) > 0).all()
    assert (changed.sum(axis=1) < data.VERSIONS).all()


def test_of_data():
    split = make_split(20, seed=0)
    counts = {"train": dict.fromkeys(CLASSES, 20), "test": dict.fromkeys(CLASSES, 5)}
    drawn = data.pictures(split, CLASSES, counts, LIMITS, seed=1)
    assert set(drawn) == {"class_balance", "samples", "augmentation"}
    assert len(drawn["samples"].axes[0].texts) == 3 * data.SAMPLES_PER_CLASS
    assert len(drawn["augmentation"].axes[0].patches) == 3 * (data.VERSIONS + 1)


def test_first_of_each_class():
    assert data.first_of_each_class(np.array([1, 0, 1, 1, 0, 2]), 2).tolist() == [1, 4, 0, 2, 5]

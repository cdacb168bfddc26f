from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digits.core import files
from stages import visualize

PICTURES = [
    "augmentation",
    "class_balance",
    "confusion",
    "misread",
    "mistakes",
    "predictions",
    "refusal",
    "reliability",
    "robustness",
    "samples",
    "stressed",
    "training_curves",
]


def test_just_these_pictures(project):
    assert sorted(path.stem for path in Path("plots").glob("*.png")) == PICTURES


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_large_enough_and_not_empty(project, name):
    with Image.open(f"plots/{name}.png") as picture:
        assert min(picture.size) >= 200
        assert np.asarray(picture.convert("L")).std() > 5


def test_the_bytes_are_the_same_at_every_drawing_and_the_test_split_is_not_read(project):
    before = {path: path.read_bytes() for path in Path("plots").glob("*.png")}
    for path in Path("data/tfrecords").glob("test-*"):
        path.write_bytes(b"unreadable")
    visualize.main()
    assert {path: path.read_bytes() for path in Path("plots").glob("*.png")} == before


def test_a_model_without_mistakes_has_pictures_too(project, monkeypatch):
    for others in (visualize.data, visualize.training, visualize.trust):  # which do not show what the model misread
        monkeypatch.setattr(others, "pictures", lambda *arguments: {})
    with np.load("plots/showcase.npz") as showcase:
        arrays = {name: array[:0] if "mistakes" in name else array for name, array in showcase.items()}
    files.write_arrays(Path("plots/showcase.npz"), arrays)
    visualize.main()


@pytest.mark.parametrize(
    "name",
    [
        "plots/history.csv",
        "plots/predictions.csv",
        "plots/refusal.csv",
        "plots/robustness.csv",
        "plots/showcase.npz",
        "plots/stressed.npz",
        "metrics/data.json",
        "models/about.json",
    ],
)
def test_a_missing_file_is_named(project, fails, name):
    Path(name).unlink()
    assert f"{name}: No such file or directory; run `dvc repro`" in fails(visualize)


@pytest.mark.parametrize("name", ["plots/history.csv", "plots/predictions.csv", "plots/showcase.npz"])
def test_a_damaged_file_is_named(project, fails, name):
    Path(name).write_bytes(b"nonsense")
    assert f"{name}: " in fails(visualize)

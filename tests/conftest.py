"""What the tests share: tiny data, a tiny project to run stages in, and the real MNIST where it is."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from digits import params
from digits.core import errors
from digits.models import determinism
from digits.splits.split import Dataset, Split
from stages import download, evaluate, export, preprocess, robustness, train, visualize

ROOT = Path(__file__).parents[1]
MNIST_DIR = Path(os.environ.get("MNIST_DIR") or ROOT.parent / "shared" / "mnist").absolute()


def pytest_collection_modifyitems(items):
    if not MNIST_DIR.is_dir():
        missing = pytest.mark.skip(reason=f"needs the four original MNIST files in {MNIST_DIR} or MNIST_DIR")
        for item in items:
            if "mnist" in item.keywords:
                item.add_marker(missing)


@pytest.fixture(scope="session", autouse=True)
def tensorflow():
    """As every stage sets it, and before anything else: TensorFlow takes its thread count once a process."""
    determinism.configure(params.load(ROOT / "params.yaml").train.threads)


@pytest.fixture
def mnist_dir() -> Path:
    return MNIST_DIR


def make_split(per_class: int, seed: int, side: int = 8) -> Split:
    """Three classes of noisy images that differ in where they are bright: a network learns them in seconds."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), per_class)
    images = generator.integers(0, 80, (len(labels), side, side, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 2 * label : 2 * label + 3] += 150
    order = generator.permutation(len(labels))
    return Split(images[order], labels[order])


@pytest.fixture
def split() -> Split:
    return make_split(per_class=20, seed=0)


@pytest.fixture
def dataset() -> Dataset:
    card = {"name": "bars", "version": "1", "source": "", "licence": "", "citation": "", "classes": ["a", "b", "c"]}
    return Dataset(make_split(20, seed=0), make_split(10, seed=1), card)


@pytest.fixture
def set_params():
    """Edits lines of `params.yaml` in the current folder: `set_params("old", "new")`."""

    def edit(old: str, new: str) -> None:
        path = Path("params.yaml")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return edit


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory) -> Path:
    """A folder in which the embedded set and the tiny recipe have gone through all stages."""
    folder = tmp_path_factory.mktemp("finished")
    text = (ROOT / "params.yaml").read_text()
    changes = [
        ("dataset: mnist", "dataset: digits"),
        ("recipe: fast_cnn", "recipe: tiny"),
        ("  images: 1000", "  images: 12"),
    ]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "params.yaml").write_text(text)
    shutil.copytree(ROOT / "drawings", folder / "drawings")
    before = Path.cwd()
    os.chdir(folder)
    try:
        for stage in (download, preprocess, train, evaluate, robustness, visualize, export):
            stage.main()
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def project(finished_project, tmp_path, monkeypatch) -> Path:
    """A copy of `finished_project` to work and break things in, made the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(finished_project, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def fails(capsys):
    """Runs a stage that must fail as a person should see it: one line on stderr, exit status not 0."""

    def run(stage) -> str:
        with pytest.raises(SystemExit) as stop:
            errors.run(stage.main)
        message = stop.value.code
        assert isinstance(message, str), "sys.exit takes the text: printed on stderr, status 1"
        assert "\n" not in message
        assert message.startswith(f"{stage.__name__.rpartition('.')[2]}: ")
        return message

    return run

"""What the tests share: tiny data, and a tiny project to run stages in.

TensorFlow is imported when it is needed: pytest-xdist's first process, which starts the others, runs no test.
"""

import importlib
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings

from digits import params
from digits.core import errors
from digits.splits.split import Dataset, Split

ROOT = Path(__file__).parents[1]

# The same examples on every run, and as long as it takes: a busy machine is no reason to fail.
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items):
    if not os.environ.get("MNIST_DIR"):
        missing = pytest.mark.skip(reason="needs MNIST_DIR, a folder with the four original files of MNIST")
        for item in items:
            if "mnist" in item.keywords:
                item.add_marker(missing)


@pytest.fixture(scope="session", autouse=True)
def tensorflow():
    """As every stage sets it, and before anything else: TensorFlow takes its thread count once a process."""
    determinism = importlib.import_module("digits.models.determinism")
    determinism.configure(params.load(ROOT / "params.yaml").processor)


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Waits for what another process does; a test that waits for ever would hide that it never happens."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def signals_heard() -> Iterator[None]:
    """SIGINT and SIGHUP end programs, here and in what is started here, also where `&` or `nohup` has them ignored."""
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    return Path(os.environ["MNIST_DIR"]).absolute()


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

    return lambda old, new: edit_params(Path(), (old, new))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Makes a folder once for all processes of pytest-xdist: `made_once(name, make)`. Nothing in it may be changed."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name: str, make: Callable[[Path], None]) -> Path:
        folder = base / name
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                unfinished = base / f"{name}.unfinished"
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return once


STAGES = ("download", "preprocess", "train", "evaluate", "robustness", "visualize", "export", "headline")
EMBEDDED = [
    ("dataset: mnist", "dataset: digits"),
    ("recipe: fast_cnn", "recipe: tiny"),
    ("  images: 500", "  images: 12"),
    ("representative_images: 1000", "representative_images: 50"),
]


def edit_params(folder: Path, *changes: tuple[str, str]) -> None:
    """Replaces texts that must be there in a folder's `params.yaml`, each once."""
    path = folder / "params.yaml"
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)


def run_all_stages(folder: Path) -> None:
    shutil.copy(ROOT / "params.yaml", folder)
    edit_params(folder, *EMBEDDED)
    shutil.copytree(ROOT / "drawings", folder / "drawings")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("digits.evaluation.robustness.EACH", 1)  # photographs take most of that stage's time
        for stage in STAGES:
            importlib.import_module(f"stages.{stage}").main()


@pytest.fixture(scope="session")
def finished_project(made_once) -> Path:
    """A folder in which the embedded set and the tiny recipe have gone through all stages."""
    return made_once("finished", run_all_stages)


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

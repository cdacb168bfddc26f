import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from digits.core.errors import UserError
from digits.datasets import raw
from stages import download
from tests.digits.datasets.test_pictures import draw


def test_the_embedded_set_lands_in_data_raw(project):
    dataset = raw.read(Path("data/raw"))
    assert len(dataset.train) == 1437
    assert len(dataset.test) == 360


def test_it_says_what_it_got(project, capsys):
    download.main()
    assert capsys.readouterr().out == "digits 1.0.0: 1,437 train, 360 test\n"


def test_pictures_in_a_folder(project, set_params, tmp_path, capsys):
    for name in ("a", "b"):
        for number in range(5):
            draw(tmp_path / "my pictures" / name / f"{number}.png", number, (9, 12))
    set_params("dataset: digits", f"dataset: 'folder:{tmp_path / 'my pictures'}'")
    set_params("  size: 28 ", "  size: 6 ")
    set_params("  channels: 1 ", "  channels: 3 ")
    download.main()
    dataset = raw.read(Path("data/raw"))
    assert dataset.train.image_shape == [6, 6, 3]
    assert capsys.readouterr().out == f"folder:my pictures {dataset.card['version']}: 8 train, 2 test\n"


def test_ink_in_pictures_is_framed_where_the_parameters_say_so(project, set_params, tmp_path, fails):
    for name in ("a", "b"):
        for number in range(5):
            draw(tmp_path / "empty" / name / f"{number}.png", 255, (60, 70))
    set_params("dataset: digits", f"dataset: 'folder:{tmp_path / 'empty'}'")
    set_params("  framed: false ", "  framed: true ")
    assert "a/0.png is no readable picture (nothing is drawn on it)" in fails(download)


def test_a_folder_that_is_not_there(project, fails, set_params):
    set_params("dataset: digits", "dataset: folder:my/pictures")
    assert fails(download) == (
        "download: dataset: my/pictures: no such folder here; an experiment runs in a copy of the project: give the "
        "whole path"
    )


def test_an_unknown_dataset(project, fails, set_params):
    set_params("dataset: digits", "dataset: kmnits")
    assert "'kmnits' does not exist; did you mean kmnist" in fails(download)


def test_an_empty_folder_of_files(project, fails, set_params, monkeypatch, tmp_path):
    set_params("dataset: digits", "dataset: mnist")
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    assert "MNIST_DIR: " in fails(download)


def test_no_network(project, fails, set_params, monkeypatch):
    def refuse(name, url):
        raise UserError("no network")

    monkeypatch.setattr("digits.datasets.sources._probe", refuse)
    monkeypatch.delenv("MNIST_DIR", raising=False)
    set_params("dataset: digits", "dataset: mnist")
    assert fails(download) == "download: no network"


def test_a_wrong_parameter(project, fails, set_params):
    set_params("seed: 20", "seed: -20")
    assert "seed is -20" in fails(download)


def test_what_was_there_stays_when_it_fails(project, fails, set_params):
    before = raw.read(Path("data/raw")).train.digest()
    set_params("dataset: digits", "dataset: nothing-like-it")
    fails(download)
    assert raw.read(Path("data/raw")).train.digest() == before
    assert sorted(os.listdir("data")) == ["raw", "tfrecords"]


def test_no_write_permission(finished_project, monkeypatch, fails):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        shutil.copy(finished_project / "params.yaml", folder)
        Path(folder, "data").mkdir()
        Path(folder, "data").chmod(0o555)
        Path(folder).chmod(0o755)
        monkeypatch.chdir(folder)
        with another_user():
            message = fails(download)
    assert message.startswith("download: data/raw: Permission denied; give yourself permission there")


@contextmanager
def another_user():
    """Root may write anywhere: for the length of the block, root is nobody."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)

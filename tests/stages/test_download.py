import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from digits.core.errors import UserError
from digits.datasets import raw
from stages import download


def test_the_embedded_set_lands_in_data_raw(project):
    dataset = raw.read(Path("data/raw"))
    assert len(dataset.train) == 1437
    assert len(dataset.test) == 360


def test_it_says_what_it_got(project, capsys):
    download.main()
    assert capsys.readouterr().out == "digits 1.0.0: 1,437 train, 360 test\n"


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

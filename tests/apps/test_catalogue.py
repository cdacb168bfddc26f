import pytest

from apps import catalogue
from digits.core import paths
from digits.core.errors import UserError
from tests.digits.conftest import about_it


def place(folder, *files, **changes):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"")
    about_it(**changes).write(folder / paths.ABOUT)


def place_compared(project, recipe, dataset):
    folder = project / "compare/results" / recipe
    folder.mkdir(parents=True)
    about_it(recipe=recipe, dataset=dataset).write(folder / "about.json")
    (folder / "model.keras").touch()


def test_the_catalogue_holds_what_is_there(tmp_path):
    assert catalogue.catalogue(tmp_path) == {}
    place(tmp_path, paths.MODEL, paths.ONNX, paths.LITERT)
    place(tmp_path / "runs/embedded", paths.LITERT_INT8, dataset="digits")
    place_compared(tmp_path / "runs/compare", "resnet", "mnist")
    place_compared(tmp_path / "runs/compare-digits", "tiny", "digits")
    place_compared(tmp_path, "of an earlier version", "mnist")
    (tmp_path / "runs/compare/compare/results/unfinished").mkdir()
    about_it().write(tmp_path / "runs/compare/compare/results/unfinished/about.json")
    found = catalogue.catalogue(tmp_path)
    assert list(found) == [
        "tiny on mnist (LiteRT)",
        "tiny on mnist (ONNX)",
        "tiny on mnist (Keras)",
        "tiny on digits (LiteRT, 8-bit integers, runs/embedded)",
        "resnet on mnist (Keras, from make compare)",
        "tiny on digits (Keras, from make compare)",
    ]
    for model, described in found.values():
        assert model.is_file()
        assert described.is_file()
    assert found["tiny on mnist (ONNX)"] == (tmp_path / paths.ONNX, tmp_path / paths.ABOUT)


def test_what_another_version_left_in_runs_is_named_and_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    place(tmp_path, paths.LITERT)
    place(tmp_path / "runs/old", paths.LITERT)
    (tmp_path / "runs/old" / paths.ABOUT).write_text("{}")
    place_compared(tmp_path / "runs/compare", "resnet", "mnist")
    (tmp_path / "runs/compare/compare/results/resnet/about.json").write_text("{}")
    assert list(catalogue.catalogue(tmp_path)) == ["tiny on mnist (LiteRT)"]
    assert [line.count("left out: ") for line in capsys.readouterr().err.splitlines()] == [1, 1]
    assert catalogue.chosen(None) == (paths.LITERT, paths.ABOUT)
    (tmp_path / paths.ABOUT).write_text("{}")
    with pytest.raises(UserError, match=r"^models/about\.json: "):
        catalogue.chosen(None)


def test_a_named_model_goes_with_the_description_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, other = tmp_path / "some" / "model.onnx", tmp_path / "other.json"
    assert catalogue.chosen(model) == (model, tmp_path / "some" / "about.json")
    assert catalogue.chosen(model, other) == (model, other)
    with pytest.raises(UserError, match=r"no trained model here; run `make repro`"):
        catalogue.chosen(None)
    place(tmp_path, paths.ONNX, paths.LITERT)
    assert catalogue.chosen(None) == (paths.LITERT, paths.ABOUT)


def test_a_run_beside_the_pipeline_does_not_take_its_place(tmp_path):
    for folder in (tmp_path, tmp_path / "runs/embedded"):
        (folder / "models").mkdir(parents=True)
        (folder / paths.LITERT).write_bytes(b"model")
        about_it().write(folder / paths.ABOUT)
    found = catalogue.catalogue(tmp_path)
    assert [model for model, _ in found.values()] == [
        tmp_path / paths.LITERT,
        tmp_path / "runs/embedded" / paths.LITERT,
    ]
    assert len(found) == 2

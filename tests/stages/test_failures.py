"""What goes wrong for every stage alike, in this process; tests/test_pipeline.py has some of it as a person sees it."""

import importlib
import resource
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT

STAGES = [importlib.import_module(f"stages.{name}") for name in YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_outside_the_project_is_one_line(tmp_path, monkeypatch, fails, stage):
    monkeypatch.chdir(tmp_path)
    name = stage.__name__.removeprefix("stages.")
    if name == "headline":  # which has no parameters
        assert fails(stage).startswith("headline: metrics/train.json: No such file or directory; run `dvc repro`")
    else:
        assert fails(stage) == f"{name}: params.yaml: no such file here; run from the project's root"
    assert not list(tmp_path.iterdir())


@pytest.fixture
def full_disk():
    """As on a full disk: nothing longer than 4 kB can be written."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


# Those that write the most; the others as processes of their own, in tests/test_pipeline.py.
@pytest.mark.parametrize("name", ["download", "preprocess", "evaluate"])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(project, fails, full_disk, name):
    def content():
        return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and "logs" not in path.parts}

    before = content()
    assert "File too large" in fails(importlib.import_module(f"stages.{name}"))
    assert {path for path, data in content().items() if before.get(path) != data} <= {Path("metrics/data.json")}
    assert not list(Path().rglob("partial-*"))

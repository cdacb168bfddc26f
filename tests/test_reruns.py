"""The rerun matrix: for each parameter and each source file, exactly the stages that a change to it reruns.

The matrix is computed from what DVC reads in `dvc.yaml`: the stages that depend on what changed, and all behind them in
DVC's own graph. A few real `dvc repro` prove that DVC does as computed. There the stages are not the real ones: a
stand-in for `python` writes outputs that are a checksum of everything a stage could depend on. Whatever reruns changes
what it writes, so this is the worst case: a stage that reruns and writes the same as before spares those behind it.
"""

import copy
import functools
import io
import json
import os
import shutil
import stat
import sys
from pathlib import Path

import networkx
import pytest
from dvc.dependency import ParamsDependency
from dvc.repo import Repo
from dvc.utils.serialize import _yaml
from ruamel.yaml import YAML

from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore")  # DVC's own

STAGES = list(YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"])
ALL = STAGES
FROM_PREPROCESS, FROM_TRAIN, FROM_EVALUATE, FROM_ROBUSTNESS = STAGES[1:], STAGES[2:], STAGES[3:], STAGES[4:]
VISUALIZE, FROM_EXPORT, HEADLINE, NOTHING = ["visualize"], ["export", "headline"], ["headline"], []

# In both tables the longest prefix counts: a row holds for all that no longer row names.
PARAMETERS = {
    "dataset": ALL,
    "pictures": ALL,
    "seed": FROM_PREPROCESS,
    "preprocess": FROM_PREPROCESS,
    "bases": FROM_TRAIN,  # also those that the active recipe is not made of
    "recipe": FROM_TRAIN,
    "recipes": NOTHING,  # the blocks that are not active
    "recipes.fast_cnn": FROM_TRAIN,
    "processor": FROM_TRAIN,
    "train": FROM_TRAIN,
    "compare": NOTHING,
    "evaluate": FROM_EVALUATE,
    "evaluate.min_accuracy": NOTHING,  # the gates of other recipes
    "evaluate.min_accuracy.fast_cnn": FROM_EVALUATE,
    "robustness": FROM_ROBUSTNESS,
    "export": FROM_EXPORT,
}

# A room, then the files in it that more stages need than the room as a whole.
SOURCES = {
    "digits/__init__.py": ALL,
    "digits/_quiet_tensorflow.py": ALL,
    "digits/core": VISUALIZE,  # which has it as one
    "digits/core/errors.py": ALL,
    "digits/core/files.py": ALL,
    "digits/core/paths.py": ALL,
    "digits/core/progress.py": ALL,
    "digits/params": ALL,
    "digits/splits": FROM_PREPROCESS,
    "digits/splits/holdout.py": ALL,
    "digits/splits/split.py": ALL,
    "digits/datasets": NOTHING,  # which is an empty file
    "digits/datasets/checks.py": FROM_PREPROCESS,
    "digits/datasets/embedded.py": ALL,
    "digits/datasets/idx.py": ALL,
    "digits/datasets/pictures.py": ALL,
    "digits/datasets/raw.py": ALL,
    "digits/datasets/sources.py": ALL,
    "digits/drawing": FROM_TRAIN,  # outliers are made with it
    "digits/drawing/framing.py": ALL,  # pictures may be framed
    "digits/drawing/lines.py": ALL,
    "digits/drawing/parts.py": ALL,
    "digits/drawing/photograph.py": ALL,
    "digits/drawing/rings.py": ALL,
    "digits/drawing/sheets.py": ALL,
    "digits/inputs": FROM_TRAIN,
    "digits/architectures": FROM_TRAIN,
    "digits/metrics": FROM_EVALUATE,
    "digits/metrics/calibration.py": FROM_TRAIN,
    "digits/models": FROM_EVALUATE,
    "digits/models/determinism.py": FROM_TRAIN,
    "digits/models/keras_file.py": FROM_TRAIN,
    "digits/models/provenance.py": FROM_TRAIN,
    "digits/training": FROM_TRAIN,
    "digits/evaluation": NOTHING,  # which is an empty file
    "digits/evaluation/corruptions.py": FROM_ROBUSTNESS,
    "digits/evaluation/headline.py": HEADLINE,
    "digits/evaluation/examples.py": FROM_EVALUATE,
    "digits/evaluation/photographs.py": FROM_ROBUSTNESS,
    "digits/evaluation/robustness.py": FROM_ROBUSTNESS,
    "digits/evaluation/summary_text.py": FROM_EVALUATE,
    "digits/evaluation/test_split.py": FROM_EVALUATE,
    "digits/export": FROM_EXPORT,
    "digits/serving": NOTHING,  # the page's and the service's
    "digits/reporting": VISUALIZE,
    "drawings/test.json": FROM_ROBUSTNESS,
    "drawings/validation.json": FROM_TRAIN,
    "stages/download.py": ALL,
    "stages/preprocess.py": FROM_PREPROCESS,
    "stages/train.py": FROM_TRAIN,
    "stages/evaluate.py": FROM_EVALUATE,
    "stages/robustness.py": FROM_ROBUSTNESS,
    "stages/visualize.py": VISUALIZE,
    "stages/export.py": FROM_EXPORT,
    "stages/headline.py": HEADLINE,
}
FOLDERS = ("digits", "drawings", "stages")

STAND_IN = """
import hashlib, json, pathlib, sys
stage = sys.argv[2].removeprefix("stages.")
pathlib.Path("ran.log").open("a").write(stage + "\\n")
wiring = json.loads(pathlib.Path("wiring.json").read_text())[stage]
digest = hashlib.sha256(pathlib.Path("params.yaml").read_bytes() + stage.encode())
for name in wiring["deps"]:
    place = pathlib.Path(name)
    for file in sorted(place.rglob("*.*")) if place.is_dir() else [place]:
        digest.update(file.read_bytes() if file.is_file() else b"")
for name in wiring["outs"]:
    place = pathlib.Path(name)
    if "." not in place.name:
        place.mkdir(parents=True, exist_ok=True)
        place /= "file.txt"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"checksum": digest.hexdigest()}))
"""


def row(table, name, separator):
    """The longest prefix in a table of a parameter or file."""
    rows = [prefix for prefix in table if f"{name}{separator}".startswith(f"{prefix}{separator}")]
    return max(rows, key=len, default=None)


def keys(node, prefix=""):
    """The names of all values in `params.yaml`."""
    if not isinstance(node, dict):
        return [prefix[1:]]
    return [name for key, child in node.items() for name in keys(child, f"{prefix}.{key}")]


PARAMETER_NAMES = keys(YAML(typ="safe").load(ROOT / "params.yaml"))
SOURCE_NAMES = [
    path.relative_to(ROOT).as_posix()
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.*"))
    if path.is_file() and "__pycache__" not in path.parts
]


@pytest.fixture(scope="module")
def index():
    """What DVC reads in the project's `dvc.yaml`."""
    with Repo(str(ROOT)) as repo:
        repo.index.graph.nodes  # noqa: B018 - an overlap or a circle is an error here
        yield repo.index


def behind(index, stages):
    """These stages and all that read what they write, in the pipeline's order."""
    found = {stage.name for first in stages for stage in (first, *networkx.ancestors(index.graph, first))}
    return [stage for stage in STAGES if stage in found]


def computed_for_parameter(index, name):
    def reads(stage):
        tracked = [key for dep in stage.deps if isinstance(dep, ParamsDependency) for key in dep.params]
        return any(f"{name}.".startswith(f"{key}.") for key in tracked)

    return behind(index, filter(reads, index.stages))


def computed_for_source(index, name):
    def reads(stage):
        files = [dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)]
        return any(f"{name}/".startswith(f"{file}/") for file in files)

    return behind(index, filter(reads, index.stages))


def test_the_tables_name_every_parameter_and_source_and_no_other():
    assert {row(PARAMETERS, name, ".") for name in PARAMETER_NAMES} == set(PARAMETERS)
    assert {row(SOURCES, name, "/") for name in SOURCE_NAMES} == set(SOURCES)


def test_each_parameter_reruns_these_stages(index):
    computed = {name: computed_for_parameter(index, name) for name in PARAMETER_NAMES}
    assert computed == {name: PARAMETERS[row(PARAMETERS, name, ".")] for name in PARAMETER_NAMES}


def test_each_source_reruns_these_stages(index):
    computed = {name: computed_for_source(index, name) for name in SOURCE_NAMES}
    assert computed == {name: SOURCES[row(SOURCES, name, "/")] for name in SOURCE_NAMES}


class Pipeline:
    """The project's `dvc.yaml` in a folder of its own, with the stand-in for `python`."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in FOLDERS:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("dvc.yaml", "params.yaml"):
            shutil.copy(ROOT / name, folder)
        wiring = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
        outs = {
            stage: [*entry.get("outs", []), *(name for metric in entry.get("metrics", []) for name in metric)]
            for stage, entry in wiring.items()
        }
        (folder / "wiring.json").write_text(
            json.dumps({stage: {"deps": entry["deps"], "outs": outs[stage]} for stage, entry in wiring.items()})
        )
        stand_in = folder / "bin" / "python"
        stand_in.parent.mkdir()
        (folder / "stand_in.py").write_text(STAND_IN)
        stand_in.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS stand_in.py "$@"\n')
        stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
        self.log = folder / "ran.log"
        Repo.init(str(folder), no_scm=True).close()

    def reruns(self) -> list[str]:
        """The stages that `dvc repro` runs now."""
        self.log.write_text("")
        with Repo(str(self.folder)) as repo:
            repo.reproduce()
        return self.log.read_text().split()


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reruns")
    parse = functools.cache(_yaml.parse_yaml)
    with pytest.MonkeyPatch.context() as patch:
        # DVC reads the same `params.yaml` dozens of times in a run, which is most of its time.
        patch.setattr(_yaml, "parse_yaml", lambda *args, **options: copy.deepcopy(parse(*args, **options)))
        patch.chdir(folder)
        patch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site-cache"))
        pipeline = Pipeline(folder)
        assert pipeline.reruns() == STAGES
        yield pipeline


@pytest.fixture
def edited(pipeline):
    """Edits a file of the pipeline; afterwards it is as it was."""
    kept = {}

    def edit(name, change):
        path = pipeline.folder / name
        kept.setdefault(path, path.read_text())
        path.write_text(change(path.read_text()))

    yield edit
    for path, text in kept.items():
        path.write_text(text)


def with_value(name, value):
    """A change to the text of `params.yaml`."""

    def change(text):
        yaml = YAML()
        node = content = yaml.load(text)
        *path, last = name.split(".")
        for key in path:
            node = node[key]
        assert node[last] != value
        node[last] = value
        out = io.StringIO()
        yaml.dump(content, out)
        return out.getvalue()

    return change


@pytest.mark.parametrize(("name", "value"), [("recipes.fast_cnn.epochs", 3), ("recipe", "tiny")])
def test_dvc_agrees_on_a_parameter(pipeline, edited, index, name, value):
    edited("params.yaml", with_value(name, value))
    assert pipeline.reruns() == computed_for_parameter(index, name) == FROM_TRAIN


def test_dvc_agrees_on_one_file_of_a_room(pipeline, edited, index):
    name = "digits/datasets/checks.py"
    edited(name, lambda text: f"{text}\n# changed\n")
    assert pipeline.reruns() == computed_for_source(index, name) == FROM_PREPROCESS


def test_dvc_agrees_on_a_file_in_a_room_named_as_a_whole_and_an_edit_undone_reruns_nothing(pipeline, edited, index):
    name = "digits/export/parity.py"
    edited(name, lambda text: f"{text}\n# changed\n")
    assert pipeline.reruns() == computed_for_source(index, name) == FROM_EXPORT
    # The run-cache knows the earlier state; metrics that are not cached would not lose it, other outputs would.
    shutil.copy(ROOT / name, pipeline.folder / name)
    assert pipeline.reruns() == []


def test_dvc_agrees_that_a_comment_an_inactive_recipe_its_gate_and_a_file_of_the_page_rerun_nothing(pipeline, edited):
    assert pipeline.reruns() == [], "nothing changed at all"
    edited("params.yaml", with_value("recipes.tiny.epochs", 7))
    edited("params.yaml", with_value("evaluate.min_accuracy.tiny.digits", 0.2))
    edited("params.yaml", lambda text: f"# a comment\n{text}")
    edited("digits/serving/predictor.py", lambda text: f"{text}\n# changed\n")
    assert pipeline.reruns() == []

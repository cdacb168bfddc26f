"""The rerun matrix: for each parameter and each source file, exactly the stages that a change to it reruns.

DVC decides from `dvc.yaml`, so it is the real one; the stages are not: a stand-in for `python` writes outputs that
are a checksum of everything a stage could depend on. Whatever reruns changes what it writes, so this is the worst
case: a stage that reruns and writes the same as before spares the stages behind it.
"""

import io
import json
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore")  # DVC's own

STAGES = list(YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"])
ALL = STAGES
FROM_PREPROCESS, FROM_TRAIN, FROM_EVALUATE, FROM_ROBUSTNESS = STAGES[1:], STAGES[2:], STAGES[3:], STAGES[4:]
VISUALIZE, EXPORT = ["visualize"], ["export"]

# The longest prefix counts.
PARAMETERS = {
    "dataset": ALL,
    "seed": FROM_PREPROCESS,
    "preprocess": FROM_PREPROCESS,
    "recipe": FROM_TRAIN,
    "recipes.fast_cnn": FROM_TRAIN,
    "recipes": [],  # the blocks that are not active
    "train": FROM_TRAIN,
    "compare": [],
    "evaluate": FROM_EVALUATE,
    "robustness": FROM_ROBUSTNESS,
    "export": EXPORT,
}

SOURCES = {
    "digits/__init__.py": ALL,
    "digits/models/metadata.py": FROM_EVALUATE,
    "digits/architectures/__init__.py": FROM_TRAIN,
    "digits/architectures/blocks.py": FROM_TRAIN,
    "digits/architectures/cnn.py": FROM_TRAIN,
    "digits/architectures/fast_cnn.py": FROM_TRAIN,
    "digits/architectures/mlp.py": FROM_TRAIN,
    "digits/architectures/registry.py": FROM_TRAIN,
    "digits/architectures/resnet.py": FROM_TRAIN,
    "digits/architectures/tiny.py": FROM_TRAIN,
    "digits/core/files.py": ALL,
    "digits/inputs/augmentation.py": FROM_TRAIN,
    "digits/inputs/batches.py": FROM_TRAIN,
    "digits/metrics/calibration.py": FROM_TRAIN,
    "digits/export/model_card.py": EXPORT,
    "digits/training/checkpoints.py": FROM_TRAIN,
    "digits/datasets/sources.py": ALL,
    "digits/reporting/network_text.py": VISUALIZE,
    "digits/training/ensembles.py": FROM_TRAIN,
    "digits/core/errors.py": ALL,
    "digits/splits/split.py": ALL,
    "digits/export/formats.py": EXPORT,
    "digits/reporting/figures.py": VISUALIZE,
    "digits/serving/image_file.py": [],  # no stage reads image files
    "digits/drawing/framing.py": FROM_TRAIN,  # outliers are made with it
    "digits/training/tensorboard.py": FROM_TRAIN,
    "digits/training/loops.py": FROM_TRAIN,
    "digits/models/keras_file.py": FROM_TRAIN,
    "digits/training/losses.py": FROM_TRAIN,
    "digits/training/optimizers.py": FROM_TRAIN,
    "digits/inputs/outliers.py": FROM_TRAIN,
    "digits/params.py": ALL,
    "digits/export/parity.py": EXPORT,
    "digits/core/paths.py": ALL,
    "digits/reporting/pictures.py": VISUALIZE,
    "apps/predict.py": [],
    "digits/serving/predictor.py": [],
    "digits/datasets/raw.py": ALL,
    "digits/splits/tfrecords.py": FROM_PREPROCESS,
    "digits/evaluation/robustness.py": FROM_ROBUSTNESS,
    "digits/models/determinism.py": FROM_TRAIN,
    "digits/export/backends.py": EXPORT,
    "digits/training/schedules.py": FROM_TRAIN,
    "digits/metrics/scoring.py": FROM_TRAIN,
    "digits/splits/holdout.py": ALL,
    "digits/evaluation/corruptions.py": FROM_ROBUSTNESS,
    "digits/drawing/strokes.py": FROM_TRAIN,
    "digits/training/trainer.py": FROM_TRAIN,
    "digits/datasets/checks.py": FROM_PREPROCESS,
    "digits/training/callbacks.py": FROM_TRAIN,
    "stages/download.py": ALL,
    "stages/evaluate.py": FROM_EVALUATE,
    "stages/export.py": EXPORT,
    "stages/preprocess.py": FROM_PREPROCESS,
    "stages/robustness.py": FROM_ROBUSTNESS,
    "stages/train.py": FROM_TRAIN,
    "stages/visualize.py": VISUALIZE,
}

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


class Pipeline:
    """The project's `dvc.yaml` in a folder of its own, with the stand-in for `python`."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("digits", "drawings", "stages"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("dvc.yaml", "params.yaml"):
            shutil.copy(ROOT / name, folder)
        wiring = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
        outs = {
            stage: [*entry["outs"], *(name for metric in entry.get("metrics", []) for name in metric)]
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
    with pytest.MonkeyPatch.context() as patch:
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
        kept[path] = path.read_text()
        path.write_text(change(kept[path]))

    yield edit
    for path, text in kept.items():
        path.write_text(text)


def leaves(node, prefix=""):
    if not isinstance(node, dict):
        return {prefix[1:]: node}
    return {name: value for key, child in node.items() for name, value in leaves(child, f"{prefix}.{key}").items()}


CONTENT = YAML(typ="safe").load(ROOT / "params.yaml")
OTHERS = tuple(f"recipes.{name}." for name in CONTENT["recipes"] if name != CONTENT["recipe"])
# Of the recipes that are not active, one key each.
LEAVES = {
    name: value
    for name, value in leaves(CONTENT).items()
    if not name.startswith(OTHERS) or name.endswith(".batch_size")
}


def test_an_unchanged_project_reruns_nothing(pipeline):
    assert pipeline.reruns() == []


@pytest.mark.parametrize("name", LEAVES)
def test_parameter(pipeline, edited, name):
    prefixes = [prefix for prefix in PARAMETERS if f"{name}.".startswith(f"{prefix}.")]
    yaml = YAML()

    def change(text):
        node = content = yaml.load(text)
        *path, last = name.split(".")
        for key in path:
            node = node[key]
        node[last] = other(name, node[last])
        out = io.StringIO()
        yaml.dump(content, out)
        return out.getvalue()

    edited("params.yaml", change)
    assert pipeline.reruns() == PARAMETERS[max(prefixes, key=len)]


def other(name, value):
    """A value that differs; `recipe` must name a block."""
    match value:
        case str():
            return "tiny" if name == "recipe" else f"{value}_other"
        case list():
            return [*value, 1]
        case None:
            return 7
        case _:
            return value + 1


def test_a_comment_in_the_parameters_reruns_nothing(pipeline, edited):
    edited("params.yaml", lambda text: f"# a comment\n{text}")
    assert pipeline.reruns() == []


@pytest.mark.parametrize("name", SOURCES)
def test_source(pipeline, edited, name):
    edited(name, lambda text: f"{text}\n# changed\n")
    assert pipeline.reruns() == SOURCES[name]


def test_the_matrix_names_every_source():
    found = {path.relative_to(ROOT).as_posix() for part in ("digits", "stages") for path in (ROOT / part).rglob("*.py")}
    assert found == set(SOURCES)


def test_an_edit_undone_reruns_nothing(pipeline, edited):
    # The run-cache knows the earlier state; metrics that are not cached would not lose it, other outputs would.
    edited("stages/train.py", lambda text: f"{text}\n# changed once more\n")
    assert pipeline.reruns() == FROM_TRAIN
    shutil.copy(ROOT / "stages/train.py", pipeline.folder / "stages/train.py")
    assert pipeline.reruns() == []

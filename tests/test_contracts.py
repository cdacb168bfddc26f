"""What the files of the project promise each other; no stage is run here."""

import ast
import gc
import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
from pathspec import PathSpec
from ruamel.yaml import YAML

from compare import recipes
from digits import _quiet_tensorflow, params
from digits.core import paths
from tests.conftest import ROOT

DVC = YAML(typ="safe").load(ROOT / "dvc.yaml")
COMPARE = YAML(typ="safe").load(ROOT / "compare/pipeline.yaml")
STAGES = DVC["stages"]
ROOMS = sorted(path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "digits").glob("*/__init__.py"))
PARAMS = YAML(typ="safe").load(ROOT / "params.yaml")
# The file of a stage -> what dvc.yaml says of it; those of the comparison are one for each recipe.
SCRIPTS = {
    **{f"stages/{name}.py": entry for name, entry in STAGES.items()},
    **{f"compare/{name}.py": entry.get("do", entry) for name, entry in COMPARE["stages"].items()},
}


def tree(path):
    return ast.parse((ROOT / path).read_text())


def file_of(module):
    """The file of a module of this project, or None."""
    place = ROOT / module.replace(".", "/")
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path.relative_to(ROOT).as_posix()
    return None


def imports(path):
    """The project's files that a file imports, packages on the way included."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parents = {".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 2)}
    return {file for name in parents if (file := file_of(name))}


def closure(path):
    """The files that hold code among a file, what it imports, what that imports, and so on."""
    found, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += imports(current)
    return {file for file in found if (ROOT / file).stat().st_size}


def inside(room):
    """The files of a room that hold code; its `__main__.py` is a program, which nothing imports."""
    sources = (ROOT / room).rglob("[!_]*.py"), (ROOT / room).glob("__init__.py")
    return {path.relative_to(ROOT).as_posix() for found in sources for path in found if path.stat().st_size}


def code(script):
    """A stage's `deps` that are code."""
    return {name for name in SCRIPTS[script]["deps"] if name.endswith(".py") or name.split("/")[0] == "digits"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_deps_are_the_import_closure(script):
    declared = {file for name in code(script) for file in ([name] if name.endswith(".py") else inside(name))}
    assert declared == closure(script)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_room_that_is_needed_whole_is_one_entry(script):
    for room in ROOMS:
        assert not inside(room) <= code(script), f"{room} can stand for its files"


def test_packages_are_empty_but_for_two():
    # What `__init__.py` imports, every user of the room would depend on.
    full = {path.parent.name for path in (ROOT / "digits").glob("*/__init__.py") if path.stat().st_size}
    assert full == {"architectures", "params"}


def names(entries):
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def chains(path, root):
    """The longest attribute chains that start at the name `root`: `parameters.seed` -> `seed`."""
    found, inner = set(), set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            chain, base = [node.attr], node.value
            while isinstance(base, ast.Attribute):
                chain.insert(0, base.attr)
                inner.add(base)
                base = base.value
            if isinstance(base, ast.Name) and base.id == root and node not in inner:
                found.add(".".join(chain))
    return found


def as_declared(chain):
    """What `dvc.yaml` says for a parameter that a stage reads; a method's name behind it is no key."""
    chain = re.sub(r"\.(get|model_dump)$", "", chain)
    match chain.split("."):
        case ["recipe_named"]:  # the recipe is in a file of its own
            return set()
        case ["recipes"]:
            return {"bases", "recipes"}
        case ["active_recipe", *_]:  # any of its keys may stand in its base
            return {"bases", "recipe", "recipes.${recipe}"}
        case ["active_gates"]:
            return {"recipe", "evaluate.min_accuracy.${recipe}"}
        case ["promises"]:
            return {"evaluate.max_error_when_sure", "evaluate.min_refused", "evaluate.max_rejected"}
    return {chain}


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_parameter_that_a_stage_reads_is_declared_and_no_other(script):
    read = set().union(*(as_declared(chain) for chain in chains(script, "parameters")))
    assert read == set(SCRIPTS[script].get("params", []))


def test_a_run_of_the_comparison_depends_on_its_recipe_in_full():
    (folder,) = COMPARE["stages"]["recipes"]["outs"]
    assert folder == recipes.FULL.as_posix()
    assert f"{folder}/${{item}}.json" in SCRIPTS["compare/run.py"]["deps"]


def test_parameters_reach_stages_under_one_name_only():
    # The test above follows the name `parameters`; this one sees to it that nothing reads them under another.
    for script, entry in SCRIPTS.items():
        text = (ROOT / script).read_text()
        assert text.count("params.load()") == text.count("parameters = params.load()") == ("params" in entry)
        assert not re.search(r"[(,=\[{] *parameters *[),\]}\n]", text), "the whole of the parameters is passed on"


def test_each_parameter_is_declared_by_a_stage():
    declared = {re.sub(r"\.\$.*", "", name) for entry in SCRIPTS.values() for name in entry.get("params", [])}
    assert {name.split(".")[0] for name in declared} == set(PARAMS)
    for section in ("processor", "train", "evaluate", "robustness", "export", "compare"):
        assert section in declared or {f"{section}.{key}" for key in PARAMS[section]} <= declared


def test_the_ensemble_is_of_the_accurate_recipe():
    single, ensemble = (dict(PARAMS["recipes"][name]) for name in ("accurate_cnn", "ensemble"))
    assert ensemble.pop("members") == 4
    assert ensemble == single, "`ensemble` says it is four of `accurate_cnn`"


def test_the_comparison_trains_as_the_pipeline_does():
    own = {"stages/train.py"}
    assert closure("stages/train.py") - own <= closure("compare/run.py")


@pytest.mark.parametrize("stage", STAGES)
def test_each_file_that_a_stage_names_is_declared(stage):
    entry = STAGES[stage]
    declared = {*entry["deps"], *names(entry.get("outs", [])), *names(entry.get("metrics", []))}
    declared = {name for name in declared if not name.startswith(("digits", "stages"))}
    named = {getattr(paths, name).as_posix() for name in chains(f"stages/{stage}.py", "paths") if name.isupper()}
    no_outputs = {paths.PARAMS, paths.LOGS, paths.CHECKPOINT, paths.PLOTS}
    pictures = {name for name in declared if name.endswith(".png")}  # written by their names
    assert named - {path.as_posix() for path in no_outputs} == declared - pictures


def test_what_the_stages_write_is_what_is_declared(finished_project):
    declared = [
        name for stage in STAGES.values() for name in (*names(stage.get("outs", [])), *names(stage.get("metrics", [])))
    ]
    for name in declared:
        assert (finished_project / name).exists()
    written = {
        path.relative_to(finished_project).as_posix()
        for folder in ("data", "models", "metrics", "plots")
        for path in (finished_project / folder).iterdir()
    }
    assert written == set(declared)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_told_plainly(stage):
    entry = STAGES[stage]
    assert entry["desc"]
    assert entry["cmd"] == f"python -m stages.{stage}"
    assert set(entry) <= {"desc", "cmd", "deps", "params", "outs", "metrics"}, "plots are declared at the top level"
    assert ("metrics" in entry) == (stage == "headline"), "DVC's tables show every figure of every metric"
    assert all(options == {"cache": False} for metric in entry.get("metrics", []) for options in metric.values())
    assert all(isinstance(out, str) for out in entry.get("outs", [])), "an option would lose the run-cache"


def test_plots_show_outputs():
    outputs = {out for stage in STAGES.values() for out in stage.get("outs", [])}
    shown = {name for plot in DVC["plots"] if isinstance(plot, str) for name in [plot]}
    shown |= {name for plot in DVC["plots"] if isinstance(plot, dict) for p in plot.values() for name in p["y"]}
    assert shown <= outputs
    assert {out for out in outputs if out.endswith(".png")} <= shown


def test_the_registered_model_is_an_output():
    assert DVC["artifacts"]["digits"]["path"] in STAGES["train"]["outs"]


def test_the_library_does_not_know_the_stages():
    for path in (ROOT / "digits").rglob("*.py"):
        used = imports(path.relative_to(ROOT).as_posix())
        assert not any(file.startswith(("apps", "stages", "compare", "benchmarks", "tools")) for file in used), path


def test_a_stage_is_small_and_reads_no_other_stage():
    for stage in STAGES:
        path = f"stages/{stage}.py"
        assert not any(file.startswith("stages") for file in imports(path))
        assert len((ROOT / path).read_text().splitlines()) <= 75


# What the page, the service and the quick stages import: TensorFlow would take them seconds.
WITHOUT_TENSORFLOW = {
    "core": ["errors", "files", "paths", "text"],
    "params": ["loading"],
    "splits": ["holdout", "split"],
    "datasets": ["checks", "raw", "sources"],
    "drawing": ["framing", "strokes"],
    "metrics": ["calibration", "decision", "intervals", "scoring"],
    "models": ["metadata"],
    "evaluation": ["corruptions", "robustness"],
    "export": ["backends", "model_card", "parity"],
    "serving": ["image_file", "predictor", "saliency"],
    "reporting": ["results", "style", "training", "trust"],
}


def test_imports_without_tensorflow():
    modules = [f"digits.{room}.{name}" for room, names in WITHOUT_TENSORFLOW.items() for name in names]
    check = f"import sys, {', '.join(modules)}; print(*({{'keras', 'tensorflow'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


# A process that imports both libraries in either order takes seconds: it answers all questions about them.
IMPORTS = """
import gc, importlib.util, json, os, sys
import digits
{first}
answers = {{"frozen before": gc.get_freeze_count(), "collects before": gc.isenabled()}}
import {libraries}
answers |= {{"frozen": gc.get_freeze_count(), "collects": gc.isenabled()}}
answers["spare"] = sorted({{"matplotlib", "pandas", "sklearn"}} & set(sys.modules))
import sklearn.base
answers["afterwards"] = str(sklearn.base.BaseEstimator)
os.write(2, b"still open")
print(json.dumps(answers))
"""


@pytest.fixture(
    scope="module",
    params=[
        {"first": "", "libraries": "tensorflow, keras"},
        {"first": "gc.disable(); importlib.util.find_spec('tensorflow')", "libraries": "keras, tensorflow"},
    ],
    ids=lambda param: param["libraries"],
)
def importing(request):
    """The process, ended."""
    command = [sys.executable, "-c", IMPORTS.format(**request.param)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def test_importing_tensorflow_says_nothing(importing):
    assert (len(importing.stdout.splitlines()), importing.stderr) == (1, b"still open")


def test_tensorflow_is_exempt_from_garbage_collection_which_is_afterwards_as_before(importing):
    answers = json.loads(importing.stdout)
    assert (answers["frozen before"], answers["frozen"] > 0) == (0, True)
    assert answers["collects"] == answers["collects before"]


def test_keras_is_imported_without_spare_packages_which_are_there_afterwards(importing):
    answers = json.loads(importing.stdout)
    assert answers["spare"] == []
    assert answers["afterwards"] == "<class 'sklearn.base.BaseEstimator'>"


def test_an_import_that_fails_leaves_garbage_collection_as_it_was():
    def fail():
        during.append(gc.isenabled())
        raise ImportError

    during, before = [], gc.isenabled()
    with pytest.raises(ImportError), _quiet_tensorflow._without_collections():
        fail()
    assert during == [False]
    assert gc.isenabled() == before


def test_every_module_has_its_tests():
    for folder in ("digits", "stages", "apps", "compare", "benchmarks", "tools"):
        for path in (ROOT / folder).rglob("[!_]*.py"):
            if path.stem not in ("paths", "places", "split"):  # names; plain data, tested with raw
                relative = path.relative_to(ROOT)
                assert (ROOT / "tests" / relative.parent / f"test_{relative.name}").is_file()


def packages(*lists):
    """The names of the distributions in requirements."""
    return {re.match(r"[\w.-]+", wish)[0].lower().replace(".", "-") for wishes in lists for wish in wishes}


def test_the_pipeline_asks_for_what_its_code_imports_and_for_nothing_of_the_others():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own, extras = packages(project["dependencies"]), packages(*project["optional-dependencies"].values())
    assert not own & (extras - {"tensorflow"}), "what the stages have, the others have too"
    distributions = {"sklearn": "scikit-learn", "PIL": "pillow", "ruamel": "ruamel-yaml"}
    used = set()
    for path in [*(ROOT / "digits").rglob("*.py"), *(ROOT / "stages").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            used |= {name.split(".")[0] for name in names}
    used -= {*sys.stdlib_module_names, "digits", "stages"}
    assert {distributions.get(name, name.replace("_", "-")) for name in used} <= own


WORKFLOWS = {path.name: YAML(typ="safe").load(path) for path in (ROOT / ".github/workflows").glob("*.yml")}
JOBS = {f"{file}:{name}": job for file, content in WORKFLOWS.items() for name, job in content["jobs"].items()}
ACTION = YAML(typ="safe").load(ROOT / ".github/actions/setup/action.yml")
STEPS = [*(step for job in JOBS.values() for step in job.get("steps", [])), *ACTION["runs"]["steps"]]


def test_actions_are_pinned_by_commit():
    uses = {step["uses"] for step in STEPS if "uses" in step} | {job["uses"] for job in JOBS.values() if "uses" in job}
    local = {name for name in uses if name.startswith("./")}
    assert local
    assert all((ROOT / name).exists() for name in local)
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) for name in uses - local)


def test_an_action_has_one_commit_everywhere_and_its_release_beside_it():
    texts = [path.read_text() for path in (ROOT / ".github").rglob("*.yml")]
    pins = {
        pin for text in texts for pin in re.findall(r"uses: ([\w./-]+)@(\w+) (# v\d+\.\d+\.\d+)$", text, re.MULTILINE)
    }
    assert len(pins) == len({action for action, *_ in pins})
    assert sum(text.count("@") for text in texts) == sum(len(re.findall(r"@\w{40} # v", text)) for text in texts)


def test_ci_calls_make_targets_and_its_own_scripts_only():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in (step["run"] for step in STEPS if "run" in step):
        if command.startswith(".ci/"):
            assert os.access(ROOT / command, os.X_OK), command
        elif command.startswith("make "):
            assert re.fullmatch(r"make (?:--silent )?([a-z-]+)( [A-Z]+=\w+)*", command)[1] in targets
        else:
            assert command == 'cat runs/review/report.md >> "$GITHUB_STEP_SUMMARY"'


def test_nothing_of_github_reaches_a_shell_but_through_the_environment():
    assert not [step for step in STEPS if "${{" in step.get("run", "")]


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / ".ci").iterdir()))
def test_a_script_of_ci_is_sound_and_stops_at_the_first_failure(script):
    text = (ROOT / ".ci" / script).read_text()
    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert "set -euo pipefail" in text
    subprocess.run(["bash", "-n", ROOT / ".ci" / script], check=True)


def test_ci_has_least_permissions():
    assert all(content["permissions"] == {} for content in WORKFLOWS.values())
    writing = {
        name: {what for what, right in job["permissions"].items() if right == "write"} for name, job in JOBS.items()
    }
    assert {name: rights for name, rights in writing.items() if rights} == {
        "ci.yml:comment": {"pull-requests"},
        "ci.yml:gpu": {"contents"},
        "gpu.yml:rebuild": {"contents"},
    }
    for job in JOBS.values():
        assert job.get("timeout-minutes") or "uses" in job
        for step in job.get("steps", []):
            assert not step.get("uses", "").startswith("actions/checkout") or not step["with"]["persist-credentials"]


def test_what_may_write_in_a_pull_request_runs_none_of_its_code_and_not_for_forks():
    job = JOBS["ci.yml:comment"]
    assert job["if"].endswith("github.event.pull_request.head.repo.full_name == github.repository")
    assert job["steps"][0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"


def test_pull_requests_never_reach_the_gpu_runner_nor_a_secret():
    assert [name for name, job in JOBS.items() if "self-hosted" in job.get("runs-on", [])] == ["gpu.yml:rebuild"]
    assert JOBS["gpu.yml:rebuild"]["if"] == "github.ref == 'refs/heads/main'"
    assert JOBS["ci.yml:gpu"]["if"] == "github.event_name == 'push'"
    assert set(WORKFLOWS["gpu.yml"]["on"]) == {"workflow_call", "workflow_dispatch"}
    assert "pull_request_target" not in str(WORKFLOWS)
    secret = [name for name, job in JOBS.items() if "secrets" in str(job)]
    assert secret == ["ci.yml:gpu", "gpu.yml:rebuild"]


def test_an_image_holds_nothing_that_git_does_not_have():
    ignored = PathSpec.from_lines("gitignore", (ROOT / ".dockerignore").read_text().splitlines())
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert list(ignored.match_files(tracked)) == []
    for name in (".venv/bin/python", ".dvc/config.local", ".dvc/cache/files/md5/00/0", "data/raw/card.json", "runs/x"):
        assert ignored.match_file(name), name


def test_images_and_containers_are_of_the_same_file():
    assert re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE) == [
        "python:3.13-slim-bookworm",
        "system",
    ]
    for path in (ROOT / ".devcontainer").rglob("devcontainer.json"):
        built = json.loads(path.read_text())["build"]
        assert (path.parent / built["dockerfile"]).resolve() == ROOT / "Dockerfile"
        assert (path.parent / built["context"]).resolve() == ROOT


def test_no_hook_of_pre_commit_comes_from_elsewhere():
    repos = YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert all(hook["language"] == "system" for repo in repos for hook in repo["hooks"])


def test_dvc_keeps_to_itself():
    config = (ROOT / ".dvc/config").read_text()
    assert "analytics = false" in config
    assert "check_update = false" in config


def test_each_parameter_is_explained_once():
    # The keys of recipes at the first base; which is which, a recipe's own line says.
    text = (ROOT / "params.yaml").read_text()
    head, _, rest = text.partition("  # As most of the published systems")
    recipes = rest[rest.index("\nrecipes:") : rest.index("\ntrain:")]
    lines = [*head.splitlines(), *rest[rest.index("\ntrain:") :].splitlines()]
    keys = [number for number, line in enumerate(lines) if re.match(r"\s*\w+: [^{ ]", line)]
    assert len(keys) >= 20
    for number in keys:
        assert "#" in lines[number] or lines[number - 1].strip().startswith("#"), lines[number]
    assert all("#" in line for line in recipes.splitlines() if re.match(r"  \w+:", line))


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_documents_are_filled_in_and_their_links_lead_somewhere(name):
    text = (ROOT / name).read_text()
    assert "<<" not in text
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / name).parent / link).exists(), link


def test_git_tracks_no_output():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    inside = [name for name in tracked if name.startswith(("data/", "models/", "plots/", "logs/", "runs/"))]
    assert inside == ["data/.gitignore", "models/.gitignore", "plots/.gitignore"]
    assert not [name for name in tracked if name.startswith(("compare/recipes/", "compare/results/", "compare/cost/"))]
    assert all(os.path.getsize(ROOT / name) < 400_000 for name in tracked if (ROOT / name).exists())


def test_dvc_finds_its_outputs_ignored_as_it_would_write_it():
    outputs = [name for stage in STAGES.values() for name in stage.get("outs", [])]
    for folder in ("data", "metrics", "models", "plots"):
        listed = (ROOT / folder / ".gitignore").read_text().splitlines()
        assert sorted(f"{folder}{name}" for name in listed) == sorted(o for o in outputs if o.startswith(f"{folder}/"))


def test_all_systems_check_out_the_same_bytes():
    listed = subprocess.run(["git", "ls-files", "--eol"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        index, work, attributes = line.partition("\t")[0].split()[:3]
        assert (index[2:], work[2:]) in {("lf", "lf"), ("none", "none"), ("-text", "-text")}, line
        assert (attributes == "attr/-text") == line.endswith(".png"), line


def test_the_schema_knows_each_key_of_the_file():
    assert params.load(ROOT / "params.yaml").model_dump().keys() == PARAMS.keys()

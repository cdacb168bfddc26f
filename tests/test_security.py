"""What no file of the project may do: read what can run code."""

import ast
import subprocess

from tests.conftest import ROOT

SOURCES = subprocess.run(
    ["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True
).stdout.splitlines()
RUN_CODE = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "jsonpickle", "marshal", "shelve"}


def trees():
    for path in SOURCES:
        yield path, ast.parse((ROOT / path).read_text())


def calls(tree, name):
    """The calls of a function, by the last part of its name and the part before."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-len(name) :] == name:
            yield node


def option(call, name):
    return next((ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg == name), None)


def test_nothing_imports_a_format_that_runs_code():
    found = []
    for path, tree in trees():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [(path, name) for name in names if name.partition(".")[0] in RUN_CODE]
    assert found == []


def test_arrays_are_read_without_pickle():
    found = [
        f"{path}:{call.lineno}"
        for path, tree in trees()
        if not path.startswith("tests/")
        for call in calls(tree, ["np", "load"])
        if option(call, "allow_pickle") != "False"
    ]
    assert found == [], "say allow_pickle=False"


def test_keras_files_are_read_in_safe_mode():
    found = [
        f"{path}:{call.lineno}"
        for path, tree in trees()
        if not path.startswith("tests/")
        for call in calls(tree, ["load_model"])
        if option(call, "safe_mode") != "True"
    ]
    assert found == [], "say safe_mode=True, or call digits.models.keras_file.load"
    unsafe = [path for path in SOURCES if "enable_" + "unsafe_deserialization" in (ROOT / path).read_text()]
    assert unsafe == []


def test_yaml_is_read_as_values_alone():
    found = [
        f"{path}:{call.lineno}"
        for path, tree in trees()
        for call in calls(tree, ["YAML"])
        if option(call, "typ") not in ("'safe'", None)  # without it: for editing, which makes no objects either
    ]
    assert found == []

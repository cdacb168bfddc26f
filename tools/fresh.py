"""Says whether the committed locks belong to these sources and parameters: `make fresh`.

It needs no data, no cache and no training: checksums of sources and values of parameters are compared with what
`dvc.lock` and `compare/pipeline.lock` record. An output is only asked for if git has it; that a stage used what
another one made, the lock itself can tell.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.exceptions import DvcException
from dvc.output import Output
from dvc.repo import Repo
from dvc.stage import Stage
from ruamel.yaml import YAML

from digits.core.errors import UserError, one_line, run
from tools import comparison

Change = tuple[str, str]  # what, and how: `digits/params`, `modified`


def main() -> None:
    """Prints what is stale, a line for each stage."""
    remedies = []
    if found := stale(Path.cwd(), "dvc.yaml"):
        remedies.append("`make repro` and commit dvc.lock")
        print(*(f"dvc.lock: {entry}" for entry in found), sep="\n")
    if found := stale_comparison():
        remedies.append(f"`make compare` and commit {comparison.LOCK}")
        print(*(f"{comparison.LOCK}: {entry}" for entry in found), sep="\n")
    if remedies:
        raise UserError(f"the lock is of other sources or parameters: run {', then '.join(remedies)}")
    print(f"dvc.lock and {comparison.LOCK} are of these sources and parameters")


def stale_comparison() -> list[str]:
    """Returns what is stale in the lock of the comparison, which DVC reads in a project of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        comparison.prepare(folder, [])
        for result in set(comparison.RESULTS) - {comparison.LOCK}:
            if Path(result).is_dir():
                shutil.copytree(result, folder / result)
            elif Path(result).exists():
                shutil.copy(result, folder / result)
        return stale(folder, comparison.NAMES[comparison.PIPELINE])


def stale(root: Path, pipeline: str) -> list[str]:
    """Returns what of a lock is of other sources or parameters, as `train: modified: digits/training, digits/params`.

    Args:
        root: of a DVC project.
        pipeline: path of its `dvc.yaml` in it.

    Raises:
        UserError: DVC cannot read one of the files.
    """
    file = (root / pipeline).absolute()
    try:
        with Repo(str(root)) as repo:
            stages = repo.index.stages
            made = {out.fs_path: out for stage in stages for out in stage.outs}
            locked = lock(file.with_name("dvc.lock"))
            found = {
                stage.name: list(changes(stage, made)) if stage.name in locked else [("the whole stage", "new")]
                for stage in stages
                if Path(stage.path) == file
            }
    except DvcException as error:
        raise UserError(one_line(error)) from error
    return [f"{name}: {described(entries)}" for name, entries in found.items() if entries]


def described(entries: Iterable[Change]) -> str:
    """Joins what changed in the same way: `modified: digits/core, digits/params; new: parameter seed`."""
    ways: dict[str, list[str]] = {}
    for what, way in entries:
        ways.setdefault(way, []).append(what)
    return "; ".join(f"{way}: {', '.join(names)}" for way, names in ways.items())


def lock(path: Path) -> Mapping[str, Any]:
    """Returns the stages of a lock file, none where there is no such file."""
    content = YAML(typ="safe").load(path.read_text(encoding="utf-8")) if path.exists() else None
    return (content or {}).get("stages", {})  # type: ignore[no-any-return]


def changes(stage: Stage, made: Mapping[str, Output]) -> Iterator[Change]:
    """Yields what differs between a stage, as it is now, and its entry in the lock.

    Args:
        stage: as DVC read it from both files.
        made: path -> output of any stage.
    """
    yield from changed_inputs(stage, made)
    for out in stage.outs:
        if not out.use_cache:
            yield from out.workspace_status().items()


def changed_inputs(stage: Stage, made: Mapping[str, Output]) -> Iterator[Change]:
    """Yields what differs in the command, the dependencies and the parameters of a stage; arguments as of `changes`."""
    if stage.cmd_changed:
        yield "command", "modified"
    for dep in stage.deps:
        if isinstance(dep, ParamsDependency):
            for file, states in dep.workspace_status().items():
                yield from [(file, states)] if isinstance(states, str) else parameters(states)
        elif dep.fs_path in made:
            if dep.hash_info != made[dep.fs_path].hash_info:
                yield str(dep), f"not what {made[dep.fs_path].stage.name} made"
        elif not any(related(dep.fs_path, path) for path in made):
            yield from ((name, state if dep.hash_info else "new") for name, state in dep.workspace_status().items())


def parameters(states: Mapping[str, str]) -> Iterator[Change]:
    """Yields the parameters that changed."""
    for name, state in states.items():
        yield f"parameter {name}", state


def related(first: str, second: str) -> bool:
    """Whether one path is inside the other."""
    return Path(first) in Path(second).parents or Path(second) in Path(first).parents


if __name__ == "__main__":
    run(main)

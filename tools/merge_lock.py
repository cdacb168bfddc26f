"""Resolves a merge conflict in `dvc.lock` and `compare/pipeline.lock`, stage by stage: `make merge-lock`.

Resolve the conflicts of the sources, `dvc.yaml` and `params.yaml` first. Then each stage's entry is taken from the side
that ran it with what is there now: the same command, parameters, sources, and outputs of earlier stages. A stage that
neither side ran so is left out, and `make repro` runs it.
"""

import tempfile
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.output import Output
from dvc.repo import Repo
from dvc.stage import Stage
from dvc.utils.serialize import dumps_yaml
from ruamel.yaml import YAML

from digits.core.errors import UserError, one_line, run
from tools import comparison, fresh, mend

SIDES = {"ours": 2, "theirs": 3}  # as git calls them, and their numbers in its index


def main() -> None:
    """Resolves each lock that is in conflict, and says where its entries are from."""
    conflicts = {lock: sides for lock in mend.LOCKS if (sides := versions(Path(lock)))}
    if not conflicts:
        raise UserError(f"no merge conflict in {' or '.join(mend.LOCKS)}")
    for name in mend.WRITTEN_BY_HAND:
        mend.refuse_conflict(Path(name))
    for lock, sides in conflicts.items():
        chosen = resolve_comparison(sides) if lock == comparison.LOCK else resolve(Path(), "dvc.yaml", sides)
        entries = {stage: content(sides[side])[stage] for stage, side in chosen.items() if side}
        mend.write(Path(lock), dumps_yaml({"schema": "2.0", "stages": entries}).encode())
        mend.git("add", "--", lock)
        print(
            *(f"{lock}: {stage}: {side or 'of neither side; it will run'}" for stage, side in chosen.items()), sep="\n"
        )
    print("next: `make repro`" + (", `make compare`" if comparison.LOCK in conflicts else "") + ", then commit")


def content(lock: str) -> Mapping[str, Any]:
    """Returns the entries of a lock, by stage."""
    return YAML(typ="safe").load(lock)["stages"]  # type: ignore[no-any-return]


def versions(lock: Path) -> dict[str, str]:
    """Returns both sides of a conflict: from git's index, or from the marks in the file; nothing without a conflict."""
    found = {name: mend.git("show", f":{number}:./{lock.as_posix()}") for name, number in SIDES.items()}
    if not any(done.returncode for done in found.values()):
        return {name: done.stdout.decode() for name, done in found.items()}
    text = mend.read(lock).decode(errors="replace")
    return marked(text) if "\n<<<<<<< " in f"\n{text}" else {}


def marked(text: str) -> dict[str, str]:
    """Splits a text with git's marks into both sides; what was common before (`|||||||`) is left out."""
    sides: dict[str, list[str]] = {name: [] for name in SIDES}
    current = list(SIDES)
    for line in text.splitlines(keepends=True):
        mark = line[:8].rstrip("\n")
        if mark == "<<<<<<< ":
            current = ["ours"]
        elif mark in ("||||||| ", "|||||||"):
            current = []
        elif mark == "=======" and len(current) < len(SIDES):
            current = ["theirs"]
        elif mark == ">>>>>>> ":
            current = list(SIDES)
        else:
            for name in current:
                sides[name].append(line)
    return {name: "".join(lines) for name, lines in sides.items()}


def resolve_comparison(sides: Mapping[str, str]) -> dict[str, str | None]:
    """Does the same as `resolve` for the comparison, which DVC reads in a project of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        comparison.prepare(folder, [])
        return resolve(folder, comparison.NAMES[comparison.PIPELINE], sides)


def resolve(root: Path, pipeline: str, sides: Mapping[str, str]) -> dict[str, str | None]:
    """Chooses for each stage the side whose entry is of what is there.

    Args:
        root: of a DVC project; its lock is overwritten.
        pipeline: path of its `dvc.yaml` in it.
        sides: name -> text of the lock.

    Returns:
        stage -> name of the side, None where there is none, in the order in which the stages run.

    Raises:
        UserError: DVC cannot read one of the files.
    """
    file = (root / pipeline).absolute()
    readable = {name: text for name, text in sides.items() if mend.is_lock(text.encode())}
    loaded = {name: stages(root, file, text) for name, text in readable.items()}
    if not loaded:
        raise UserError(f"{pipeline}: neither side's lock can be read; delete it, then run `make repro`")
    made: dict[str, Output] = {}  # path -> output, of the entries that are chosen
    chosen: dict[str, str | None] = {}
    for address, stage in next(iter(loaded.values())).items():
        if Path(stage.path) != file:  # the pipeline's, beside the comparison's
            made |= {out.fs_path: out for out in stage.outs}
            continue
        side = next((name for name, own in loaded.items() if agrees(own[address], own.values(), made)), None)
        if side:
            made |= {out.fs_path: out for out in loaded[side][address].outs}
        chosen[stage.name] = side
    return chosen


def stages(root: Path, file: Path, lock: str) -> dict[str, Stage]:
    """Returns the stages of a project, with a lock put beside one of its pipelines, in the order in which they run.

    The lock that was there is there again afterwards.
    """
    place = file.with_name("dvc.lock")
    before = mend.read(place)
    mend.write(place, lock.encode())
    try:
        with Repo(str(root.absolute())) as repo:
            graph = repo.index.graph  # from a stage to those that it needs
            order = TopologicalSorter({stage: list(graph.successors(stage)) for stage in graph}).static_order()
            return {stage.addressing: stage for stage in order}
    except DvcException as error:
        raise UserError(one_line(error)) from error
    finally:
        mend.write(place, before)


def agrees(stage: Stage, own: Iterable[Stage], made: Mapping[str, Output]) -> bool:
    """Whether the lock's entry of a stage is of what is there, and of what the chosen entries made.

    Args:
        stage: with the entry of one side.
        own: all stages with the entries of that side.
        made: path -> output, of the entries that are chosen.
    """
    for out in (out for other in own for out in other.outs):
        if any(dep.fs_path == out.fs_path or fresh.related(dep.fs_path, out.fs_path) for dep in stage.deps):
            kept = made.get(out.fs_path)
            if kept is None or kept.hash_info != out.hash_info:
                return False
    # What the pipeline makes for the comparison is unknown where only the comparison was ever run.
    unknown = {dep.fs_path: dep for dep in stage.deps if dep.fs_path in made and not made[dep.fs_path].hash_info}
    return all(out.hash_info for out in stage.outs) and not any(fresh.changed_inputs(stage, {**made, **unknown}))


if __name__ == "__main__":
    run(main)

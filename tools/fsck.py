"""Re-hashes DVC's cache and the outputs, and says how to mend what is damaged: `make fsck`.

DVC itself does not look: it takes a read-only file of its cache for what its name says, and an output for unchanged
while its size and its time of change are the same. Each finding is one line; with any, the exit status is 1.
"""

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.stage.cache import _get_cache_hash as hash_of_run
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from digits.core.errors import UserError, one_line, run
from tools import fresh, mend
from tools.checksums import FOLDER, md5

ANEW = "then `make pull`, or `make repro`, which makes it anew"


@dataclass
class Cache:
    """The objects of a DVC cache.

    Attributes:
        path: its folder; an object lies in `ab/cdef...`, by its hash.
        damaged: the hashes of the objects that are not what their names say.
    """

    path: Path
    damaged: set[str] = field(default_factory=set)

    def place(self, value: str) -> Path:
        """Returns where the object of a hash lies."""
        return self.path / value[:2] / value[2:]

    def has(self, value: str) -> bool:
        """Whether an object is there and whole."""
        return value not in self.damaged and self.place(value).is_file()

    def members(self, value: str) -> dict[str, str]:
        """Returns the files of a folder and their hashes, nothing where its list is missing or damaged."""
        if not value.endswith(FOLDER) or not self.has(value):
            return {}
        return {entry["relpath"]: entry["md5"] for entry in json.loads(self.place(value).read_bytes())}

    def check(self) -> None:
        """Hashes all objects."""
        for path in sorted(self.path.glob("??/*")):
            value = path.parent.name + path.name
            if path.is_file() and md5(path) != value.removesuffix(FOLDER):
                self.damaged.add(value)


@dataclass(frozen=True)
class Project:
    """A DVC project: this one, or a comparison's.

    Attributes:
        root: its folder.
        lock: its lock, from the root.
        whole: whether all outputs should be there.
    """

    root: Path
    lock: str
    whole: bool

    @property
    def enter(self) -> str:
        """The command that goes to its folder, nothing for this one."""
        return f"cd {quote(self.root)} && " if self.root != Path() else ""

    def outs(self) -> Iterator[Mapping[str, Any]]:
        """Yields the entries of outputs in the lock."""
        for entry in fresh.lock(self.root / self.lock).values():
            yield from entry.get("outs", ())


def main() -> None:
    """Prints the findings."""
    try:
        with Repo() as repo:
            cache = Cache(Path(os.path.relpath(repo.cache.local.path)))
            runs = Path(os.path.relpath(repo.stage_cache.cache_dir))
    except DvcException as error:
        raise UserError(one_line(error)) from error
    found = list(findings(cache, runs))
    print(*found, sep="\n", end="\n" * bool(found))
    if found:
        sys.exit(1)
    print("no damage: DVC's cache, its notes of runs and the outputs are what their hashes say")


def findings(cache: Cache, runs: Path) -> Iterator[str]:
    """Yields a line for each damaged file: of the locks, the cache, the run-cache and the work tree."""
    locks = [Path(name) for name in mend.LOCKS if Path(name).exists()]
    broken = [lock for lock in locks if not mend.is_lock(lock.read_bytes())]
    yield from (f"{lock}: DVC cannot read it; `python -m tools.mend` brings back an earlier one" for lock in broken)
    cache.check()
    known = [project for project in projects() if mend.is_lock(mend.read(project.root / project.lock))]
    yield from damaged_objects(cache, known)
    yield from damaged_notes(runs)
    for project in known:
        for out in project.outs():
            yield from damaged_output(cache, project, out)


def projects() -> Iterator[Project]:
    """Yields this project and those of the comparisons."""
    yield Project(Path(), "dvc.lock", whole=True)
    for folder in sorted(Path("runs").glob("compare*")):
        yield Project(folder, "dvc.lock", whole=False)
        yield Project(folder, "compare/dvc.lock", whole=False)


def damaged_objects(cache: Cache, known: list[Project]) -> Iterator[str]:
    """Yields a line for each damaged object of the cache, with the output that it is of."""
    uses: dict[str, tuple[Project, str, Path]] = {}
    for project in known:
        for out in project.outs():
            path = project.root / out["path"]
            uses[out["md5"]] = project, out["path"], path
            for name, value in cache.members(out["md5"]).items():
                uses[value] = project, out["path"], path / name
    for value in sorted(cache.damaged):
        place = cache.place(value)
        if value not in uses:
            yield f"{place}: damaged; `rm -f {quote(place)}`: nothing that is checked out needs it"
            continue
        project, out_path, copy = uses[value]
        if copy.is_file() and md5(copy) == value:
            commit = f"{project.enter}dvc commit --force {quote(out_path)}"
            yield f"{place}: damaged; {copy} is whole: `rm -f {quote(place)}; {commit}`"
        else:
            yield f"{place}: damaged, of {copy}; `rm -f {quote(place)}`, {ANEW}"


def damaged_notes(runs: Path) -> Iterator[str]:
    """Yields a line for each damaged entry of the run-cache, whose name is a hash of its content."""
    for path in sorted(runs.glob("*/*/*")):
        try:
            whole = hash_of_run(YAML(typ="safe").load(path.read_text(encoding="utf-8"))) == path.name
        except (ValueError, YAMLError, AttributeError, TypeError, KeyError):
            whole = False
        if not whole:
            yield f"{path}: damaged; `rm -f {quote(path)}`: that run of a stage is then unknown to DVC"


def damaged_output(cache: Cache, project: Project, out: Mapping[str, Any]) -> Iterator[str]:
    """Yields a line for each file of an output that is missing or not what the lock says."""
    path, value = project.root / out["path"], out["md5"]
    if not path.exists() and not project.whole:
        return
    for file, expected in files_of(cache, path, value):
        if not file.exists():
            what = "missing"
        elif expected is None:
            what = f"not in {project.lock}"
        elif file.is_dir() or md5(file) != expected:
            what = f"not what {project.lock} says"
        else:
            continue
        yield f"{file}: {what}; {remedy(cache, project, out, file, expected)}"


def quote(path: Path | str) -> str:
    """Returns a path as a shell reads it."""
    return shlex.quote(str(path))


def files_of(cache: Cache, path: Path, value: str) -> Iterator[tuple[Path, str | None]]:
    """Yields the files of an output that are there or should be, with the hashes that they should have."""
    if not value.endswith(FOLDER):
        yield path, value
        return
    members = cache.members(value)
    present = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    if not members:  # then only the whole can be compared
        if md5(path) != value:
            yield path, value
        return
    for name in sorted(present | members.keys()):
        yield path / name, members.get(name)


def remedy(cache: Cache, project: Project, out: Mapping[str, Any], file: Path, expected: str | None) -> str:
    """Says how to get a file back."""
    if cache.has(out["md5"]) and (expected is None or cache.has(expected)):
        return f"`rm -rf {quote(file)}; {project.enter}dvc checkout {quote(out['path'])}`"
    again = "then `make compare`" if project.enter else ANEW
    return f"`rm -rf {quote(file)}`, {again}"


if __name__ == "__main__":
    run(main)

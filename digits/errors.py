"""One line for a person: what is wrong, where, and what to do."""

import errno
import inspect
import sys
from collections.abc import Callable
from pathlib import Path


class UserError(Exception):
    """Something that the person who runs a stage can mend; its text is the whole message, one line."""


def run(main: Callable[[], None]) -> None:
    """Runs a stage's `main`; what a person can mend ends it as one line on stderr and exit status 1.

    Anything else is a bug of ours and keeps its traceback.
    """
    stage = Path(inspect.getfile(main)).stem
    try:
        main()
    except UserError as error:
        sys.exit(f"{stage}: {error}")
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        sys.exit(f"{stage}: {explain(error)}")


def explain(error: OSError) -> str:
    """The line for a failed file operation, with the way out where there is a usual one."""
    remedies = {
        errno.ENOENT: "run `dvc repro`, which makes what is missing, or `dvc checkout`, which restores it",
        errno.EACCES: "give yourself write permission there (chmod, chown), then run again",
        errno.EPERM: "give yourself write permission there (chmod, chown), then run again",
        errno.EROFS: "the file system is read-only: work in a copy elsewhere",
        errno.ENOSPC: "free some space (`dvc gc --workspace` drops unused cache), then run again",
        errno.EDQUOT: "your disk quota is used up: free some space, then run again",
    }
    what = error.strerror or str(error)
    where = f"{error.filename}: " if error.filename else ""
    remedy = remedies.get(error.errno or 0, "check the disk and run again")
    return f"{where}{what}; {remedy}"

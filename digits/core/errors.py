"""Error messages of one line: what is wrong, where, and what to do."""

import errno
import inspect
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LIMIT = 1000  # characters of a message


class UserError(Exception):
    """An error that the user can fix; its text is the whole message: one readable line, whatever was put into it."""

    def __init__(self, message: str) -> None:
        super().__init__(readable(message))


class Interrupted(KeyboardInterrupt):
    """A signal that ends a process: SIGTERM of `kill` or of a job's end, SIGHUP of a closed terminal."""


MEMORY = "close other programs, or raise the limit on memory (`ulimit -v unlimited`), then run again"
REMEDIES = {
    errno.ENOENT: "run `dvc repro`, which makes what is missing, or `dvc checkout`, which restores it",
    errno.EACCES: "give yourself permission there (chmod, chown), then run again",
    errno.EPERM: "give yourself permission there (chmod, chown), then run again",
    errno.EROFS: "the file system is read-only: work in a copy elsewhere",
    errno.ENOSPC: "free some space (`dvc gc --workspace` drops unused cache), then run again",
    errno.EDQUOT: "your disk quota is used up: free some space, then run again",
    errno.EMFILE: "too many files are open at once: raise the limit, `ulimit -n 1024`",
    errno.ENFILE: "too many files are open on this machine: close other programs",
    errno.ENOMEM: MEMORY,
    errno.EFBIG: "a limit on the size of files stops it (see `ulimit -f`)",
}


def one_line(error: object, limit: int = 200) -> str:
    """Returns the text of an error, which may span several lines, as one line of at most `limit` characters."""
    return readable(" ".join(str(error).split()), limit)


def readable(text: str, limit: int = LIMIT) -> str:
    """Returns a text as one line of at most `limit` characters that any terminal shows as it is.

    Names and values come from outside: a line break or an escape sequence in them is written as Python writes it. Of a
    long text the middle is left out, because the end says what to do.
    """
    if len(text) > limit:
        tail = limit // 3
        text = f"{text[: limit - tail - 5]} ... {text[-tail:]}"
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return shown if len(shown) <= limit else readable(shown, limit)


def run(main: Callable[[], None]) -> None:
    """Runs a stage's `main`; an error that the user can fix becomes one line on stderr and exit status 1.

    Any other exception is a bug of this project and keeps its traceback.
    """
    file = Path(inspect.getfile(main))
    stage = file.parent.name if file.stem == "__main__" else file.stem
    try:
        with handling_signals():
            main()
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the output, `head` for example, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt as error:
        with suppress(OSError):  # the terminal may be gone
            print(f"{stage}: interrupted; run the same command again to continue", file=sys.stderr, flush=True)
        sys.exit(128 + (error.args[0] if isinstance(error, Interrupted) else signal.SIGINT))
    except UserError as error:
        sys.exit(f"{stage}: {error}")
    except MemoryError:
        sys.exit(f"{stage}: not enough memory; {MEMORY}")
    except Exception as error:
        failure = as_os_error(error)
        if failure is None:
            raise
        sys.exit(f"{stage}: {explain(failure)}")


def interrupt(number: int) -> None:
    """Ends what runs as Ctrl-C does."""
    raise Interrupted(number)


@contextmanager
def handling_signals(handle: Callable[[int], None] = interrupt) -> Iterator[None]:
    """Calls a function on SIGTERM and SIGHUP, which by default end a process without a word.

    A signal that is ignored, as `nohup` does with SIGHUP, stays ignored. Outside of the main thread, where Python sets
    no handlers, nothing changes.
    """
    numbers = (signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.getsignal(number) for number in numbers}
    handled = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    try:
        for number in handled:
            signal.signal(number, lambda number, _: handle(number))
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)


def as_os_error(error: Exception) -> OSError | None:
    """Returns the failed file operation behind an exception, or None if there is none.

    TensorFlow raises its own exception for such a failure, with the path and the system's message in its text.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error
    for number in REMEDIES:
        if match := re.search(rf"(\S+); {re.escape(os.strerror(number))}", str(error)):
            return OSError(number, os.strerror(number), match[1])
    return None


def explain(error: OSError) -> str:
    """Returns the message for a failed file operation, with the usual remedy if there is one."""
    where = f"{error.filename}: " if error.filename else ""
    return readable(f"{where}{error.strerror}; {REMEDIES.get(error.errno or 0, 'check the disk and run again')}")

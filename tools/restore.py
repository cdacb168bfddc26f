"""Goes to a commit with its data and models: `make restore`.

    python -m tools.restore main
    python -m tools.restore --when "1 week ago"     # the last commit of this branch before that time

Edits that are not committed stop it, if they would be lost.
"""

import argparse
import subprocess

from digits.core.errors import UserError, one_line, run
from tools import unicode_dvc


def main() -> None:
    """Checks the commit out, first by git, then by DVC, and names it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commit = parser.add_mutually_exclusive_group()
    commit.add_argument("revision", nargs="?", help="a branch, a tag or a commit")
    commit.add_argument("--when", help="any time that git reads, such as '2026-11-20' or '1 week ago'")
    given = parser.parse_args()
    if not (given.revision or given.when):
        raise UserError('name a commit: make restore REV=main, or WHEN="1 week ago"')
    revision = given.revision or last_before(given.when)
    git("checkout", "--quiet", revision, "--")
    if unicode_dvc.run("checkout", "--quiet"):
        raise UserError(
            f"{revision} is checked out, but not all of its data and models are here (`dvc checkout` says which): "
            "make pull brings them, where there is a storage; make repro builds them"
        )
    print(git("log", "-1", "--format=%h of %cd: %s"))


def last_before(when: str) -> str:
    """Returns the last commit of this branch before a time.

    Raises:
        UserError: there is none.
    """
    if not (found := git("rev-list", "-1", f"--before={when}", "HEAD")):
        raise UserError(f"no commit before {when}: git log says when there were some")
    return found


def git(*arguments: str) -> str:
    """Returns what git prints.

    Raises:
        UserError: git refuses, as where edits would be lost.
    """
    done = subprocess.run(["git", *arguments], check=False, capture_output=True, text=True)  # noqa: S603, S607
    if done.returncode:
        raise UserError(one_line(done.stderr).removeprefix("fatal: ").removeprefix("error: "))
    return done.stdout.strip()


if __name__ == "__main__":
    run(main)

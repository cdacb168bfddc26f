"""Stores what was computed in DVC's default remote, or fetches it: `make push`, `make pull`.

    python -m tools.storage push
    python -m tools.storage pull

The run-cache is DVC's notes of which command made which outputs from which inputs. `dvc push --run-cache` stores all
notes, but of the outputs only those of the work tree. `push` stores what the others name too, as far as it is in the
cache: `dvc repro --pull` then runs nothing that was run before the push, here or in an experiment.
"""

import argparse
import logging
import os
from pathlib import Path

from dvc.exceptions import CheckoutError, DvcException
from dvc.logger import set_loggers_level
from dvc.repo import Repo

from digits.core.errors import UserError, one_line, run
from tools import unicode_dvc  # noqa: F401  # lets DVC read and write the configuration of a folder such as `Schätze`

GUIDE = "docs/storage.md"
SETS = ("s3", "ssh", "gs", "azure")  # of packages; named as in an address


def main() -> None:
    """Moves the files and says how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=("push", "pull"))
    way = parser.parse_args().way
    try:
        with set_loggers_level(logging.ERROR):  # a warning of DVC lists checksums, one a line
            url = address()
            try:
                print((push if way == "push" else pull)(url))
            except UserError:
                raise
            except Exception as error:  # each kind of storage has exceptions of its own
                raise UserError(explain(error, url)) from error
    except DvcException as error:  # of the project itself
        raise UserError(one_line(error)) from error


def address() -> str:
    """Returns the address of the default remote."""
    with Repo() as repo:
        names, default = repo.config["remote"], repo.config["core"].get("remote")
    if not names:
        raise UserError(
            f"no storage is set: `dvc remote add --default storage FOLDER-OR-ADDRESS` ({GUIDE}); "
            "without one, `make repro` computes everything"
        )
    if default not in names:
        raise UserError(f"no storage is the default one: `dvc remote default NAME`, with one of {', '.join(names)}")
    return str(names[default]["url"])


def push(url: str) -> str:
    """Stores the outputs of the work tree, then those that the run-cache names, then the run-cache."""
    with Repo() as repo:
        count = repo.push()
        folder = Path(repo.stage_cache.cache_dir)
        notes = [(path.parent.name, path.name) for path in sorted(folder.glob("*/*/*"))]
        for objects in repo.stage_cache.get_used_objs(notes, force=True).values():
            # What `dvc gc` has removed since is no loss: whoever needs it computes it.
            result = repo.cloud.push({item for item in objects if repo.cache.local.exists(item.value)})
            if result.failed:
                raise UserError(f"{url}: {len(result.failed)} files could not be stored there; run `make push` again")
            count += len(result.transferred)
        repo.stage_cache.push(None)
    return f"{url}: {count} files are new there, and it knows {len(notes)} runs of stages"


def pull(url: str) -> str:
    """Fetches the outputs of the work tree, and the run-cache.

    Where the storage is no folder, DVC compares the files with their checksums only if it is told so.
    """
    with Repo(remote_config={"verify": True}) as repo:
        fetched = repo.pull(run_cache=True)["stats"]["fetched"]
    return f"{url}: {fetched} files fetched; the outputs are those of dvc.lock"


def explain(error: Exception, url: str) -> str:
    """Returns one line that says what to do about a storage that fails."""
    scheme = url.partition("://")[0]
    if isinstance(error, ImportError) and scheme in SETS:
        return f"{url}: its packages are not installed: `make setup STORAGE={scheme}`"
    if isinstance(error, CheckoutError):
        names = sorted(os.path.relpath(name) for name in error.target_infos)
        some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        return (
            f"{url} lacks {len(names)} of the outputs, or has damaged ones: {some}; "
            "`make push` where they were made, or `make repro`, which computes them"
        )
    if isinstance(error, DvcException) and "unsaved files" in str(error):
        names = [os.path.relpath(name) for name in str(error).splitlines()[1:]]
        return f"{', '.join(names)}: changed here, and kept nowhere else; `dvc pull --force` replaces them"
    text = one_line(error) or type(error).__name__
    return f"{url}: {text}; check the address, the network and your access ({GUIDE})"


if __name__ == "__main__":
    run(main)

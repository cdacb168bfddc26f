"""DVC's command line, for a project in any folder: `python -m tools.unicode_dvc exp run --temp`.

`dvc exp run --temp` and `dvc config` write configuration files in ASCII, through configobj, and so fail where the path
of the project has other letters ("'ascii' codec can't encode"). They read them as UTF-8 already.

The workers of DVC's queue are processes of their own, which start `dvc`: they find `tools/shims/dvc` first, which is
this.
"""

import os
import sys
from pathlib import Path
from typing import Any

from configobj import ConfigObj
from dvc import cli

SHIMS = Path(__file__).resolve().parent / "shims"


def run(*arguments: str) -> int:
    """Runs a command of DVC in this process and returns its exit status."""
    os.environ["PATH"] = os.pathsep.join([str(SHIMS), os.environ["PATH"]])
    return int(cli.main(list(arguments)))


def _initialize(self: ConfigObj, *arguments: Any, **options: Any) -> None:
    _original(self, *arguments, **{"default_encoding": "utf-8", **options})


_original = ConfigObj.__init__
ConfigObj.__init__ = _initialize


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))

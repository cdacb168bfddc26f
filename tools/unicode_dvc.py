"""DVC's command line, for a project in any folder: `python -m tools.unicode_dvc exp run --temp`.

`dvc exp run --temp` and `dvc config` write configuration files in ASCII, through configobj, and so fail where the path
of the project has other letters ("'ascii' codec can't encode"). They read them as UTF-8 already.
"""

import sys
from typing import Any

from configobj import ConfigObj
from dvc import cli


def run(*arguments: str) -> int:
    """Runs a command of DVC in this process and returns its exit status."""
    return int(cli.main(list(arguments)))


def _initialize(self: ConfigObj, *arguments: Any, **options: Any) -> None:
    _original(self, *arguments, **{"default_encoding": "utf-8", **options})


_original = ConfigObj.__init__
ConfigObj.__init__ = _initialize


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))

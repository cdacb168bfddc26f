"""Sets what DVC must know about this checkout, in `.dvc/config.local`: `make` runs it after each installation.

- The site cache: DVC's default is a folder that every user of the machine can write to, and DVC unpickles what lies
  there. The path must be absolute, because an experiment changes directory: `.dvc/config` cannot have it.
- The page of `dvc plots`: DVC's own loads its scripts from the network.
- Files that are replaced whole (`tools/shims/dvc_patches.py`): each Python of this environment imports the copy.
- No git, where there is none, as in a downloaded archive: `dvc repro` works without, experiments do not.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from dvc.config import Config
from dvc.exceptions import DvcException

from digits.core import files
from digits.core.errors import UserError, one_line, run
from tools import plots_page as plots_page_template
from tools import unicode_dvc  # which lets DVC write the configuration of a folder such as `Schätze`


def main() -> None:
    """Writes the settings and what they name."""
    check()
    root = Path.cwd()
    cache = root / ".dvc/site-cache"
    cache.mkdir(parents=True, exist_ok=True)
    cache.chmod(0o700)
    with Config(dvc_dir=str(root / ".dvc")).edit("local") as settings:
        choose(settings.setdefault("core", {}), "site_cache_dir", str(cache))
        choose(settings.setdefault("core", {}), "no_scm", True if no_repository() else None)
        choose(settings.setdefault("plots", {}), "html_template", plots_page())


def check() -> None:
    """Reads the configuration.

    Raises:
        UserError: somebody has broken it.
    """
    try:
        Config(dvc_dir=str(Path(".dvc").absolute()))
    except DvcException as error:
        raise UserError(f"{one_line(error)}; mend .dvc/config or .dvc/config.local by hand") from error


def patch_dvc(packages: Path) -> None:
    """Copies the patches into the folder of the environment's packages, with a line that has Python import them."""
    name = unicode_dvc.PATCHES
    shutil.copyfile(unicode_dvc.SHIMS / f"{name}.py", packages / f"{name}.py")
    (packages / f"{name}.pth").write_text(f"import {name}\n", encoding="utf-8")


def no_repository() -> bool:
    """Whether the folder lies in no git repository; so it is too where there is no git."""
    git = shutil.which("git")
    return not git or subprocess.run([git, "rev-parse"], check=False, capture_output=True).returncode != 0  # noqa: S603


def choose(section: dict[str, Any], key: str, value: str | bool | None) -> None:
    """Sets a key, or leaves it out where there is nothing to set."""
    if value is None:
        section.pop(key, None)
    else:
        section[key] = value


def plots_page() -> str:
    """Writes a page with its scripts inside; returns its path."""
    page = Path(sys.prefix) / "plots.html"
    files.write_text(page, plots_page_template.page())
    return str(page)


def install() -> None:
    """Writes the settings, and puts the patches into this environment."""
    main()
    patch_dvc(Path(sysconfig.get_path("purelib")))


if __name__ == "__main__":
    run(install)

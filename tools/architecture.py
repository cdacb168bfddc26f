"""Shows the trained network: prints its summary, and draws it if Graphviz is installed.

    make architecture

The pipeline writes `plots/summary.txt` and `plots/architecture.dot`. The picture is not one of its outputs, because its
bytes depend on the version of Graphviz, and many machines have none.
"""

import shutil
import subprocess
from pathlib import Path

from digits.core import files, paths
from digits.core.errors import UserError, one_line, run

PICTURE = Path("runs/architecture.png")


def main() -> None:
    """Prints the summary and writes the picture to `runs/`."""
    print(paths.SUMMARY.read_text(encoding="utf-8"))
    text = paths.ARCHITECTURE.read_text(encoding="utf-8")
    dot = shutil.which("dot")
    if not dot:
        print(
            f"no Graphviz here, so no picture: install it (Debian: apt install graphviz), or give {paths.ARCHITECTURE} "
            "to any viewer of its language"
        )
        return
    done = subprocess.run([dot, "-Tpng"], input=text.encode(), capture_output=True, check=False)  # noqa: S603  # our own file to Graphviz
    if done.returncode:
        raise UserError(f"{dot} failed: {one_line(done.stderr.decode(errors='replace'))}")
    with files.replacing(PICTURE) as partial:
        partial.write_bytes(done.stdout)
    print(f"see {PICTURE}")


if __name__ == "__main__":
    run(main)

"""Puts the model that stands in a stage of the registry into `runs/`: `make api STAGE=prod` serves it.

    gto register digits                             # names the model of this commit: v0.0.1, v0.0.2, ...
    gto assign digits --version v0.0.1 --stage prod
    python -m tools.promoted prod                   # writes runs/prod/models

GTO says which version that is: `dvc artifacts get` takes the last tag of the stage, also one that withdraws a version
from it, and leaves out what the service reads beside the model.
"""

import argparse
from pathlib import Path

import gto

from digits.core import paths
from digits.core.errors import UserError, run
from tools import experiment

ARTIFACT = "digits"  # in dvc.yaml


def main() -> None:
    """Fetches the models and says where they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", help="such as prod")
    stage = parser.parse_args().stage
    version, tag = standing(stage)
    folder = Path("runs", stage)
    experiment.check_folder(folder, [])
    experiment.keep(tag, [paths.MODEL.parent.as_posix()], folder)
    print(f"{ARTIFACT} {version} is in stage {stage}: {folder / paths.MODEL.parent}")


def standing(stage: str) -> tuple[str, str]:
    """Returns the version that stands in a stage, and the git tag that registers it.

    Raises:
        UserError: there is none.
    """
    try:
        found = gto.api.show(".", f"{ARTIFACT}#{stage}")
    except gto.exceptions.GTOException:  # no version of the artifact, or a name that no stage can have
        found = []
    if not found:
        raise UserError(
            f"no version of {ARTIFACT} is in stage {stage}: "
            f"gto register {ARTIFACT}, then gto assign {ARTIFACT} --version VERSION --stage {stage}"
        )
    return found[0]["version"], found[0]["ref"]


if __name__ == "__main__":
    run(main)

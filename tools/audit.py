"""Looks up the locked packages in the database of known vulnerabilities, and lists them for others: `make audit`.

The list is a bill of materials in CycloneDX's format, `runs/sbom.json`. What may stay although it is known, and why, is
in `tools/audit_exceptions.yaml`. Nothing is installed: the lock files are read as they are.
"""

import argparse
import datetime
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML

from digits.core import files
from digits.core.errors import UserError, one_line, run
from digits.params.base import Section, first_problem
from tools import lock

EXCEPTIONS = Path(__file__).with_name("audit_exceptions.yaml")
BILL = Path("runs/sbom.json")
PROGRAM = "pip-audit"
SHOWN = 5  # of the packages that were not checked


class Exempt(Section):
    """A known vulnerability that stays until a day."""

    id: str
    package: str
    reason: str
    until: datetime.date


@dataclass(frozen=True)
class Finding:
    """A known vulnerability in a locked package."""

    package: str
    version: str
    ids: frozenset[str]  # of several databases for the same
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        remedy = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no release fixes it"
        return f"{self.package} {self.version}: {', '.join(sorted(self.ids))}; {remedy}"


def main() -> None:
    """Writes the bill of materials, then asks the database."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    locks = [Path(name) for name in (lock.BASE, *lock.ON_TOP, lock.INSTALLER)]
    components = bill(locks)
    files.write_json(BILL, components)
    print(f"{BILL}: {len(components['components'])} packages")
    open_findings, notes = judged(findings(asked(locks)), exemptions(), datetime.datetime.now(datetime.UTC).date())
    print(*notes, *open_findings, sep="\n")
    if open_findings:
        remedy = f"run `make lock UPGRADE=1`, or give a reason in {EXCEPTIONS.name}"
        raise UserError(f"known vulnerabilities: {len(open_findings)}; {remedy}")
    print("no other known vulnerability")


def bill(locks: Iterable[Path]) -> dict[str, Any]:
    """Returns what the lock files list, with hashes, in CycloneDX's format (https://cyclonedx.org); without a date."""
    components = {}
    for path in locks:
        for requirement, lines in lock.blocks(path.read_text(encoding="utf-8")).items():
            name, version = requirement.partition(" ;")[0].split("==")
            purl = f"pkg:pypi/{name}@{version}"
            hashes = [{"alg": "SHA-256", "content": digest} for digest in re.findall(r"sha256:([0-9a-f]{64})", lines)]
            components[purl] = {
                "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
                "externalReferences": [
                    {"type": "distribution", "url": f"https://pypi.org/project/{name}/{version}/", "hashes": hashes}
                ],
            }  # fmt: skip
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [components[purl] for purl in sorted(components)],
    }


def asked(locks: Iterable[Path]) -> list[Mapping[str, Any]]:
    """Returns what the database says of each package.

    Raises:
        UserError: the program is missing, the database cannot be reached, or it does not know all packages.
    """
    program = shutil.which(PROGRAM, path=Path(sys.executable).parent) or shutil.which(PROGRAM)
    if not program:
        raise UserError(f"no {PROGRAM} in this environment: `make audit` installs it")
    named = [part for path in locks for part in ("--requirement", str(path))]
    command = [program, "--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off", *named]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    try:
        packages: list[Mapping[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError) as error:
        reason = one_line((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
        raise UserError(f"the database cannot be asked, so nothing was checked: {reason}") from error
    if unknown := [package["name"] for package in packages if "skip_reason" in package]:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise UserError(
            f"the package index here does not tell of {len(unknown)} of {len(packages)} packages whether they are "
            f"vulnerable, so these were not checked: {', '.join(unknown[:SHOWN])}{more}"
        )
    return packages


def findings(packages: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Returns the vulnerabilities in what the database says."""
    return [
        Finding(
            package["name"],
            package["version"],
            frozenset({found["id"], *found["aliases"]}),
            tuple(found["fix_versions"]),
        )
        for package in packages
        for found in package["vulns"]
    ]


def exemptions(path: Path = EXCEPTIONS) -> list[Exempt]:
    """Reads the vulnerabilities that may stay.

    Raises:
        UserError: an entry lacks something.
    """
    try:
        return TypeAdapter(list[Exempt]).validate_python(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise UserError(f"{path}: {first_problem(error)}") from error


def judged(found: Sequence[Finding], exempt: Sequence[Exempt], today: datetime.date) -> tuple[list[Finding], list[str]]:
    """Returns the findings that no exemption covers today, and a note on each exemption."""
    covered: set[Finding] = set()
    notes = []
    for entry in exempt:
        hits = [finding for finding in found if finding.package == entry.package and entry.id in finding.ids]
        valid = today < entry.until
        covered.update(hits if valid else [])
        state = "not found any more: remove it" if not hits else f"until {entry.until}" if valid else "its time is over"
        notes.append(f"exempt: {entry.package} {entry.id}, {state}: {entry.reason}")
    return [finding for finding in found if finding not in covered], notes


if __name__ == "__main__":
    run(main)

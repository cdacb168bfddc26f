"""Golden hashes: the checksums of a run's outputs, with the class of processor that they hold for.

`golden.json` beside this file has an entry for each run that was recorded, written by `python -m tools.rebuild_twice
--record` and never by hand. `make verify` compares what it builds with them.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from digits.core import files, paths
from digits.core.errors import UserError
from digits.models import provenance
from tools import fresh
from tools.checksums import md5

FILE = Path(__file__).with_suffix(".json")
LOCK = Path("dvc.lock")
SHOWN = 5  # files of a difference that are named

Hashes = Mapping[str, Mapping[str, str]]  # stage -> file -> MD5, in the order in which the stages ran


@dataclass(frozen=True)
class Run:
    """What a run of the pipeline made, and of what.

    Attributes:
        settings: the parameters that differ from `params.yaml`, as for `dvc exp run --set-param`.
        processor: the class of processor whose instructions the training used, such as `x86_64 with avx2`.
        versions: library -> version, as the training recorded them.
        sources: stage -> SHA-256 of its command, its dependencies that no stage makes, and its parameters.
        outputs: the checksum of each file that the stages wrote.
    """

    settings: Sequence[str]
    processor: str
    versions: Mapping[str, str]
    sources: Mapping[str, str]
    outputs: Hashes

    @property
    def platform(self) -> str:
        """Class of processor and versions in words."""
        return f"{self.processor}, {', '.join(f'{name} {version}' for name, version in self.versions.items())}"


def describe(folder: Path, settings: Sequence[str]) -> Run:
    """Returns what the run in a project's folder made, after its lock, its files and the record in its model.

    Raises:
        UserError: a file is not the one that the lock lists, or the model holds no record.
        FileNotFoundError: the model is missing.
    """
    stages = fresh.lock(folder / LOCK)
    for entry in stages.values():
        for out in entry["outs"]:
            if md5(folder / out["path"]) != out["md5"]:
                raise UserError(f"{folder / out['path']}: not what {folder / LOCK} lists; run `make repro` first")
    record = provenance.read(folder / paths.MODEL)
    return Run(sorted(settings), record["processor"]["class"], record["versions"], sources(stages), hashes(folder))


def sources(stages: Mapping[str, Any]) -> dict[str, str]:
    """Returns a checksum for each entry of a lock: of its command, its own dependencies and its parameters."""
    made = {out["path"] for entry in stages.values() for out in entry["outs"]}
    found = {}
    for name, entry in stages.items():
        own = [dep for dep in entry.get("deps", ()) if dep["path"] not in made]
        text = json.dumps([entry["cmd"], own, entry.get("params")], sort_keys=True)
        found[name] = hashlib.sha256(text.encode()).hexdigest()
    return found


def hashes(folder: Path) -> Hashes:
    """Returns the checksum of each file, also inside folders, that the stages of a project wrote."""
    return {
        stage: {name: md5(folder / name) for out in entry["outs"] for name in members(folder, out["path"])}
        for stage, entry in fresh.lock(folder / LOCK).items()
    }


def members(folder: Path, out: str) -> Iterator[str]:
    """Yields the paths of an output's files, relative to the project: itself, or those in it."""
    if (folder / out).is_file():
        yield out
    for path in sorted((folder / out).rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix()


def difference(one: Hashes, other: Hashes) -> str | None:
    """Returns the first stage that wrote other files, as `train: models/model.keras differs`; None if none did."""
    for stage in {**one, **other}:
        first, second = one.get(stage, {}), other.get(stage, {})
        found = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
        if found:
            more = ", ..." if len(found) > SHOWN else ""
            return f"{stage}: {', '.join(found[:SHOWN])}{more} differ{'s' * (len(found) == 1)}"
    return None


def compare(run: Run) -> str:
    """Says in a line how a run relates to the golden hashes of the same settings.

    Raises:
        UserError: sources, class of processor and versions are the same, and the bytes are not.
    """
    candidates = [entry for entry in read() if entry.settings == run.settings]
    golden = next((entry for entry in candidates if entry.processor == run.processor), next(iter(candidates), None))
    if golden is None:
        return f"golden hashes: none recorded for {' '.join(run.settings) or 'params.yaml as it is'}"
    for stage, source in run.sources.items():
        if golden.sources.get(stage) != source:
            return f"golden hashes: not compared, they are of other sources or parameters (first at the stage {stage})"
    found = difference(run.outputs, golden.outputs)
    if golden.platform != run.platform:
        return f"golden hashes of {golden.platform}: {found or 'the same bytes here'}"
    if found:
        raise UserError(f"{found} from the golden hashes of the same sources, class of processor and versions ({FILE})")
    return "golden hashes: the same bytes"


def read() -> list[Run]:
    """Returns the recorded runs, none where there is no file."""
    return [Run(**entry) for entry in files.read_json(FILE, ["runs"])["runs"]] if FILE.exists() else []


def record(runs: Sequence[Run]) -> None:
    """Adds runs to the file in place of older ones of the same settings.

    Those of the same sources on another class of processor stay.
    """
    kept = [old for old in read() if not any(replaces(new, old) for new in runs)]
    entries = sorted([*kept, *runs], key=lambda run: (run.settings, run.processor))
    files.write_json(FILE, {"runs": [asdict(run) for run in entries]})


def replaces(new: Run, old: Run) -> bool:
    """Whether a new record makes an old one useless."""
    return new.settings == old.settings and (new.processor == old.processor or new.sources != old.sources)

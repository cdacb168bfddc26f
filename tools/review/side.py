"""One of the two runs that are compared: the work tree, or a git revision or DVC experiment."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import SCMError, resolve_rev
from ruamel.yaml import YAML

from digits.core import paths
from digits.core.errors import UserError, one_line

WORK_TREE = "this folder"
LOCK = Path("dvc.lock")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Side:
    """What a run left.

    Attributes:
        name: as the user gave it.
        params: of the active recipe and of all recipes together, by keys joined with dots.
        headline: the content of `metrics/headline.json`.
        totals: headline figure -> number of images it was measured on; empty where the details are not at hand.
        data: the checksum of the TFRecords; None if `dvc.lock` has none.
        predictions: rows of `plots/predictions.csv`; None if the file is not at hand.
        history: rows of `plots/history.csv`; None if it is not at hand.
        seeds: metric -> mean, sd, ... of the recipe over seeds (`make bench`); None if there is none.
    """

    name: str
    params: Mapping[str, Any]
    headline: Mapping[str, Any]
    totals: Mapping[str, int] = field(default_factory=dict)
    data: str | None = None
    predictions: Rows | None = None
    history: Rows | None = None
    seeds: Mapping[str, Any] | None = None

    def same_data(self, other: "Side") -> bool:
        """Whether both runs were measured on the same images, as far as it can be told."""
        return self.data is not None and self.data == other.data


def read(revision: str | None) -> Side:
    """Reads a run.

    Args:
        revision: anything that git or DVC knows, a branch or an experiment for example; None for the work tree.

    Raises:
        UserError: there is no such revision, or it has no headline figures.
    """
    name = revision or WORK_TREE
    if revision is None:
        text: Callable[[Path], str | None] = lambda path: path.read_text("utf-8") if path.exists() else None  # noqa: E731
    else:
        text = _reader(revision)
    if not (headline := text(paths.HEADLINE)):
        raise UserError(
            f"{name} has no {paths.HEADLINE}: run `make repro` there and commit what it writes, or name another one"
        )
    params = YAML(typ="safe").load(text(paths.PARAMS) or "{}")
    lock = YAML(typ="safe").load(text(LOCK) or "{}") or {}
    figures, seeds = json.loads(headline), text(Path("benchmarks/seeds") / f"{params['recipe']}.json")
    return Side(
        name=name,
        params=_relevant(params),
        headline=figures,
        totals=_totals(figures, *(_json(text(path)) for path in (paths.DATA_METRICS, paths.ROBUSTNESS_METRICS))),
        data=_data(lock),
        predictions=_table(text(paths.PREDICTIONS)),
        history=_table(text(paths.HISTORY)),
        seeds=json.loads(seeds)["summary"] if seeds else None,
    )


def _reader(revision: str) -> Callable[[Path], str | None]:
    with Repo() as repo:
        try:
            commit = resolve_rev(repo.scm, revision)
        except (SCMError, DvcException) as error:
            raise UserError(f"{revision}: no such branch, commit or experiment here ({one_line(error, 80)})") from error
    files = DVCFileSystem(rev=commit)

    def text(path: Path) -> str | None:
        try:
            return files.read_text(path.as_posix(), encoding="utf-8")  # type: ignore[no-any-return]
        except (OSError, DvcException):  # not in that revision, or not in the cache
            return None

    return text


def _json(text: str | None) -> Any:
    return json.loads(text) if text else {}


def _table(text: str | None) -> Rows | None:
    return None if text is None else [_as_numbers(row) for row in csv.DictReader(io.StringIO(text))]


def _as_numbers(row: Mapping[str, str]) -> dict[str, Any]:
    """Converts all but the names of classes."""
    return {key: value if key in ("actual", "predicted") else float(value) for key, value in row.items()}


def _relevant(params: Mapping[str, Any]) -> dict[str, Any]:
    """Leaves out the recipes that are not active, and the bases of others."""
    recipe = params["recipes"].get(params["recipe"], {})
    kept = dict(params, recipes={params["recipe"]: recipe})
    if base := recipe.get("base"):
        kept["bases"] = {base: params.get("bases", {}).get(base)}
    return flat(kept)


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `{a: {b: 1}}` as `{a.b: 1}`."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            result |= {f"{key}.{inner}": below for inner, below in flat(value).items()}
        else:
            result[key] = value
    return result


def _data(lock: Mapping[str, Any]) -> str | None:
    outs: Sequence[Mapping[str, Any]] = lock.get("stages", {}).get("preprocess", {}).get("outs", [])
    return next((str(out["md5"]) for out in outs if out["path"] == paths.TFRECORDS.as_posix()), None)


def _totals(figures: Mapping[str, Any], data: Mapping[str, Any], robustness: Mapping[str, Any]) -> dict[str, int]:
    """Returns the number of images behind each share; nothing where the files are not in the cache."""
    totals = {}
    if data:
        test = data["splits"]["test"]["images"]
        totals = dict.fromkeys(("accuracy", "refused", "int8_agreement"), test)
        totals["val_accuracy"] = data["splits"]["validation"]["images"]
        totals["wrong_when_sure"] = round(test * (1 - figures["refused"]))
    for name in ("drawings", "scikit_learn", "photographs", "no_digits_refused"):
        if (part := name.removesuffix("_refused")) in robustness:
            totals[name] = robustness[part]["total"]
    return totals

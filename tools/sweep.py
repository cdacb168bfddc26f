"""Hyper-parameter search with DVC experiments: a grid, or Optuna's draws, ranked by *validation* accuracy.

    make sweep                                                              # a small grid on the embedded set
    make sweep SET= KEYS="recipes.fast_cnn.schedule.peak=0.003,0.01,0.03"   # on MNIST
    make sweep DRAWS=20 KEYS="recipes.fast_cnn.optimizer.weight_decay=log(0.001,0.1)"
    make sweep DRAWS=20 SAMPLER=random SEED=1 KEYS=...
    make sweep WRITE=1                                                      # and the best into params.yaml

Values are written as for `dvc exp run -S` (Hydra's grammar), without spaces: `1,2,3`, `range(1,4)`, or whole blocks,
`recipes.tiny.schedule={name:constant,rate:0.01},{name:cosine,peak:0.1}`. Draws take intervals too: `uniform(0,1)`,
`log(0.001,0.1)`, `int(3,5)`; in Hydra's syntax `interval(0,1)`, `tag(log,interval(0.001,0.1))`, `int(interval(3,5))`.
The sampler `tpe` draws ten settings at random, then near those that did well. Only the stages up to `train` run, so the
test split is not used. An experiment's name is a hash of its setting: after an interruption the same command runs only
the missing ones, and tells Optuna the results of the others.
"""

import argparse
import copy
import functools
import hashlib
import json
import operator
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dvc.api
from dvc.exceptions import DvcException
from dvc.scm import SCMError
from hydra.core.override_parser.types import Transformer
from optuna.trial import TrialState
from ruamel.yaml import YAML

from digits import params
from digits.core import files, paths
from digits.core.errors import Interrupted, UserError, one_line, run
from tools import mend
from tools.space import SAMPLERS, Setting, asked, check, parsed, study

NULL = "tag:yaml.org,2002:null"  # which ruamel.yaml by default writes as an empty value


def main() -> None:
    """Runs missing experiments, prints the table, and writes the best setting back on `--write`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", nargs="+", metavar="KEY=VALUES", help="1,2,3 or, for draws, uniform|log|int(low,high)")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="for all experiments alike")
    parser.add_argument("--draws", type=int, default=0, help="so many settings, drawn by Optuna, instead of the grid")
    parser.add_argument("--sampler", choices=SAMPLERS, default="tpe", help="of the draws (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--write", action="store_true", help="write the best setting into params.yaml")
    arguments = parser.parse_args()

    mend.main()
    space, known = parsed(arguments.keys), params.load().model_dump(mode="json")
    shared = parsed(arguments.set)
    fixed = {key: values[0] for key, values in shared.items() if isinstance(values, list) and len(values) == 1}
    if len(fixed) < len(shared):
        raise UserError(f"--set {' '.join(arguments.set)}: give each key one value; those to try go before --set")
    trained = space.get("recipe", [fixed.get("recipe", known["recipe"])])
    check([*space, *fixed], [str(recipe) for recipe in trained] if isinstance(trained, list) else [], known)
    search = study(space, arguments.draws, arguments.sampler, arguments.seed)
    state, rows = project_state([*space, *fixed], known), dict[str, dict[str, Any]]()
    count = arguments.draws or len(search.trials)
    for place in range(1, count + 1):
        trial, setting = asked(search, space)
        name = experiment_name({**fixed, **setting}, state)
        print(f"{place}/{count}  {name}  {_as_text(setting)}", flush=True)
        if not (figures := result(name)):
            run_experiment(name, overrides(known, {**fixed, **setting}))
            figures = result(name)
        search.tell(trial, figures.get("val_accuracy"), TrialState.COMPLETE if figures else TrialState.PRUNED)
        rows[name] = {"name": name, "setting": setting, **figures}
    finished = ranked(rows.values())
    if not finished:
        raise UserError("no experiment succeeded; see their messages above")
    print(table(finished, len(rows)))
    if arguments.write:
        write_best(known, best := finished[0]["setting"])
        print(f"written to {paths.PARAMS}: {_as_text(best)}" + (f"; found with {_as_text(fixed)}" if fixed else ""))


def project_state(set_keys: Iterable[str], known: Mapping[str, Any]) -> str:
    """Hashes what an experiment depends on besides its setting: commit, sources, other parameters."""
    command = ["git", "rev-parse", "HEAD"]
    head = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if head.returncode:
        raise UserError(f"no commit here, and DVC keeps experiments beside one: {one_line(head.stderr)}")
    digest = hashlib.sha256((head.stdout + json.dumps(_with(known, dict.fromkeys(set_keys)))).encode())
    sources = [*sorted(Path("digits").rglob("*.py")), *sorted(Path("stages").glob("*.py"))]
    for source in [Path("dvc.yaml"), paths.PRACTICE_DRAWINGS, *sources]:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def experiment_name(setting: Setting, state: str) -> str:
    """Returns the same name for the same setting of the same project."""
    return f"sweep-{hashlib.sha256(json.dumps([sorted(setting.items()), state]).encode()).hexdigest()[:10]}"


def result(name: str) -> dict[str, Any]:
    """Returns the figures of a finished experiment; nothing where there is none of that name."""
    try:
        with dvc.api.open(str(paths.TRAIN_METRICS), rev=name) as file:
            return dict(json.load(file))
    except (SCMError, DvcException):
        return {}


def overrides(known: Mapping[str, Any], setting: Setting) -> list[str]:
    """Returns a setting as arguments of `--set-param`, for keys of a recipe or of its base.

    A key of a recipe replaces the base's key completely, so the complete key is set. `++` sets both existing and new
    keys; null is set first, because Hydra would merge a block into the existing one.
    """
    content = _with(known, setting)
    values = {".".join(path): Transformer.str(_at(content, path)) for path in map(_top_key, setting)}
    return [f"++{key}={text}" for key, value in values.items() for text in ("null", value)]


def run_experiment(name: str, values: Iterable[str]) -> None:
    """Runs an experiment in a copy of the project; reports its failure without stopping the search."""
    options = [part for value in values for part in ("--set-param", value)]
    command = [sys.executable, "-m", "tools.unicode_dvc", "exp", "run", "--temp", "--name", name, *options, "train"]
    with mend.keeping_git():
        experiment = subprocess.Popen(command)  # noqa: S603
        try:
            failed = experiment.wait()
        except KeyboardInterrupt as error:
            if isinstance(error, Interrupted):  # by a signal to this process; Ctrl-C reaches both
                experiment.send_signal(error.args[0])
            experiment.wait()  # DVC, interrupted too, restores the work tree that it stashed
            raise
    if failed:
        print(f"{name} failed; the others go on", file=sys.stderr, flush=True)


def ranked(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the finished experiments by validation accuracy, highest first, then by lowest loss."""
    finished = [row for row in rows if "val_accuracy" in row]
    return sorted(finished, key=lambda row: (-row["val_accuracy"], row["val_loss"]))


def table(rows: Sequence[Mapping[str, Any]], count: int) -> str:
    """Returns the rows as a text table."""
    header = [
        "validation accuracy",
        "loss",
        *(".".join(key.split(".")[-2:]) for key in rows[0]["setting"]),
        "experiment",
    ]
    cells = [
        [f"{r['val_accuracy']:.2%}", f"{r['val_loss']:.4f}", *map(Transformer.str, r["setting"].values()), r["name"]]
        for r in rows
    ]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in [header, *cells]]
    return "\n".join(lines + [f"{count - len(rows)} of {count} failed"] * (len(rows) < count))


def write_best(known: Mapping[str, Any], setting: Setting) -> None:
    """Writes the setting into `params.yaml` and keeps its comments; a key that the recipe lacks is added whole."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 4096, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(NULL, "null"))
    content, target = yaml.load(paths.PARAMS), _with(known, setting)
    for key in setting:
        *path, last = key.split(".") if _top_key(key)[-1] in _at(content, _top_key(key)[:-1]) else _top_key(key)
        node, value = _at(content, path), YAML().load(json.dumps(_at(target, [*path, last])))  # a block as {a: 1}
        if last in node:
            node[last] = value
        else:
            node.insert(max(len(node) - 1, 0), last, value)  # before the last key, which owns the comment below it
    with files.replacing(paths.PARAMS) as partial:
        yaml.dump(content, partial)


def _top_key(key: str) -> list[str]:
    parts = key.split(".")
    return parts[:3] if parts[0] == "recipes" else parts


def _at(content: Any, path: Iterable[str]) -> Any:
    return functools.reduce(operator.getitem, path, content)


def _with(known: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    content = copy.deepcopy(dict(known))
    for key, value in setting.items():
        *path, last = key.split(".")
        _at(content, path)[last] = value
    return content


def _as_text(setting: Setting) -> str:
    return "  ".join(f"{key}={Transformer.str(value)}" for key, value in setting.items())


if __name__ == "__main__":
    run(main)

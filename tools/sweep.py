"""Hyper-parameter search with DVC experiments: a grid or random draws, ranked by *validation* accuracy.

    make sweep                                                              # a small grid on the embedded set
    make sweep SET= KEYS="recipes.fast_cnn.schedule.peak=0.003,0.01,0.03"   # on MNIST
    make sweep DRAWS=8 KEYS="recipes.fast_cnn.optimizer.weight_decay=log(0.001,0.1)"
    make sweep WRITE=1                                                      # and the best into params.yaml

Values are written as for `dvc exp run -S` (Hydra's grammar), without spaces: `1,2,3`, `range(1,4)`, or whole blocks,
`recipes.tiny.schedule={name:constant,rate:0.01},{name:cosine,peak:0.1}`. Draws take intervals too: `uniform(0,1)`,
`log(0.001,0.1)`, `int(3,5)`; in Hydra's syntax `interval(0,1)`, `tag(log,interval(0.001,0.1))`, `int(interval(3,5))`.
Only the stages up to `train` run, so the test split is not used. An experiment's name is a hash of its setting:
after an interruption the same command runs only the missing ones.
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
from hydra.core.override_parser.types import Transformer
from ruamel.yaml import YAML

from digits import params
from digits.core import files, paths
from digits.core.errors import UserError, one_line, run
from tools.space import Setting, check, grid, parsed, random_settings

NULL = "tag:yaml.org,2002:null"  # which ruamel.yaml by default writes as an empty value


def main() -> None:
    """Runs missing experiments, prints the table, and writes the best setting back on `--write`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", nargs="+", metavar="KEY=VALUES", help="1,2,3 or, for draws, uniform|log|int(low,high)")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="for all experiments alike")
    parser.add_argument("--draws", type=int, default=0, help="so many random settings instead of the grid")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--write", action="store_true", help="write the best setting into params.yaml")
    arguments = parser.parse_args()

    space, known = parsed(arguments.keys), params.load().model_dump(mode="json")
    fixed, *others = grid(parsed(arguments.set))
    if others:
        raise UserError(f"--set {' '.join(arguments.set)}: give each key one value; those to try go before --set")
    settings = random_settings(space, arguments.draws, arguments.seed) if arguments.draws else grid(space)
    check([*space, *fixed], {str({**known, **fixed, **setting}["recipe"]) for setting in settings}, known)
    state = project_state([*space, *fixed], known)
    names = {experiment_name({**fixed, **setting}, state): setting for setting in settings}
    for place, (name, setting) in enumerate(names.items(), 1):
        print(f"{place}/{len(names)}  {name}  {_as_text(setting)}", flush=True)
        if name not in existing():
            run_experiment(name, overrides(known, {**fixed, **setting}))
    rows = ranked(names)
    if not rows:
        raise UserError("no experiment succeeded; see their messages above")
    print(table(rows, len(names)))
    if arguments.write:
        write_best(known, best := rows[0]["setting"])
        print(f"written to {paths.PARAMS}: {_as_text(best)}" + (f"; found with {_as_text(fixed)}" if fixed else ""))


def project_state(set_keys: Iterable[str], known: Mapping[str, Any]) -> str:
    """Hashes what an experiment depends on besides its setting: commit, sources, other parameters."""
    content = json.dumps(_with(known, dict.fromkeys(set_keys)))
    digest = hashlib.sha256((_output("git", "rev-parse", "HEAD") + content).encode())
    for source in [Path("dvc.yaml"), *sorted(Path("digits").rglob("*.py")), *sorted(Path("stages").glob("*.py"))]:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def experiment_name(setting: Setting, state: str) -> str:
    """Returns the same name for the same setting of the same project."""
    return f"sweep-{hashlib.sha256(json.dumps([sorted(setting.items()), state]).encode()).hexdigest()[:10]}"


def existing() -> set[str]:
    """Returns the names of the experiments on this commit."""
    return set(_output("dvc", "exp", "list", "--name-only").split())


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
    experiment = subprocess.Popen(command)  # noqa: S603
    try:
        failed = experiment.wait()
    except KeyboardInterrupt:
        experiment.wait()  # DVC, interrupted too, restores the work tree that it stashed
        raise
    if failed:
        print(f"{name} failed; the others go on", file=sys.stderr, flush=True)


def ranked(names: Mapping[str, Setting]) -> list[dict[str, Any]]:
    """Returns the finished experiments by validation accuracy, highest first, then by lowest loss."""
    rows = []
    for name in existing() & set(names):
        with dvc.api.open(str(paths.TRAIN_METRICS), rev=name) as file:
            rows.append({"name": name, "setting": names[name], **json.load(file)})
    return sorted(rows, key=lambda row: (-row["val_accuracy"], row["val_loss"]))


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


def _output(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise UserError(f"`{' '.join(command)}` failed: {one_line(done.stderr)}")
    return done.stdout


if __name__ == "__main__":
    run(main)

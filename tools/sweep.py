"""Searches hyper-parameters with DVC's experiments: a grid or random draws, ranked by *validation* accuracy.

    make sweep                                                              # a small grid on the embedded set
    make sweep SET= KEYS="recipes.fast_cnn.schedule.peak=0.003,0.01,0.03"   # on MNIST
    make sweep DRAWS=8 KEYS="recipes.fast_cnn.optimizer.weight_decay=log(0.001,0.1)"
    make sweep WRITE=1                                                      # and the best into params.yaml

A value may be a whole block, without spaces: `recipes.tiny.schedule={name:constant,rate:0.01},{name:cosine,peak:0.1}`.
Only the stages up to `train` run, so the test split is not looked at. An experiment carries the name of what is tried:
after an interruption the same command runs those that are missing, and a second time none.
"""

import argparse
import hashlib
import itertools
import json
import math
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dvc.api
from ruamel.yaml import YAML

from digits import params
from digits.core import files, paths
from digits.core.errors import UserError, run

Setting = dict[str, str]  # key of params.yaml -> value, as `dvc exp run --set-param` takes it

NULL = "tag:yaml.org,2002:null"  # which ruamel.yaml would write as nothing at all
RANGE = re.compile(r"(uniform|log|int)\(([^,()]+),([^,()]+)\)")


def main() -> None:
    """Runs what is missing, prints the table, writes the best back where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", nargs="+", metavar="KEY=VALUES", help="1,2,3 or, for draws, uniform|log|int(low,high)")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="for all experiments alike")
    parser.add_argument("--draws", type=int, default=0, help="so many random settings instead of the grid")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--write", action="store_true", help="write the best setting into params.yaml")
    arguments = parser.parse_args()

    space, fixed = (dict(map(_split, pairs)) for pairs in (arguments.keys, arguments.set))
    check(space, fixed, params.load().model_dump())
    settings = drawn(space, arguments.draws, arguments.seed) if arguments.draws else grid(space)
    state = project_state([*space, *fixed])
    names = {experiment_name(setting, fixed, state): setting for setting in settings}
    for place, (name, setting) in enumerate(names.items(), 1):
        print(f"{place}/{len(names)}  {name}  {_told(setting)}", flush=True)
        if name not in existing():
            run_experiment(name, {**fixed, **setting})
    rows = ranked(names)
    if not rows:
        raise UserError("no experiment succeeded; see what each said")
    print(table(rows, len(names)))
    if arguments.write:
        write_best(rows[0]["setting"])
        print(
            f"written to {paths.PARAMS}: {_told(rows[0]['setting'])}"
            + (f"; found with {_told(fixed)}" if fixed else "")
        )


def check(space: Setting, fixed: Setting, known: Mapping[str, Any]) -> None:
    """Refuses, before anything is run, keys that `params.yaml` does not have or that no experiment would read."""
    trained = {fixed.get("recipe", known["recipe"]), *_listed(space.get("recipe", ""))}
    for key in [*space, *fixed]:
        node: Any = known
        for part in key.split("."):
            if not isinstance(node, Mapping) or part not in node:
                there = f"; at '{part}' there are {', '.join(node)}" if isinstance(node, Mapping) else ""
                raise UserError(f"{paths.PARAMS} has no key {key}{there}")
            node = node[part]
        section, *rest = key.split(".")
        if section == "recipes" and rest and rest[0] not in trained:
            raise UserError(f"{key} is not read while {', '.join(trained)} is trained: set recipe={rest[0]} too")


def grid(space: Setting) -> list[Setting]:
    """Every combination of the listed values."""
    for key, values in space.items():
        if RANGE.fullmatch(values):
            raise UserError(f"{key}={values} is a range: a grid needs a list of values; or say how many to draw")
    return [dict(zip(space, chosen, strict=True)) for chosen in itertools.product(*map(_listed, space.values()))]


def drawn(space: Setting, count: int, seed: int) -> list[Setting]:
    """`count` random settings: `uniform` and `int` between their bounds, `log` so that each magnitude is as likely."""
    if count < 1:
        raise UserError(f"{count} draws: take at least 1")
    generator = random.Random(seed)  # noqa: S311  # not for secrets
    draws = {key: _draw(key, values, generator) for key, values in space.items()}
    return [{key: draw() for key, draw in draws.items()} for _ in range(count)]


def _draw(key: str, values: str, generator: random.Random) -> Callable[[], str]:
    found = RANGE.fullmatch(values)
    if not found:
        listed = _listed(values)
        return lambda: generator.choice(listed)
    kind = found[1]
    try:
        low, high = (int(bound) if kind == "int" else float(bound) for bound in found.groups()[1:])
    except ValueError:
        raise UserError(f"{key}={values}: the bounds must be numbers") from None
    if low > high or (kind == "log" and low <= 0):
        raise UserError(
            f"{key}={values}: the first bound must be the lower one" + (", above 0" if kind == "log" else "")
        )
    match kind:
        case "uniform":
            return lambda: f"{generator.uniform(low, high):.4g}"
        case "log":
            return lambda: f"{math.exp(generator.uniform(math.log(low), math.log(high))):.4g}"
        case _:
            return lambda: str(generator.randint(int(low), int(high)))


def project_state(settled: Iterable[str]) -> str:
    """What an experiment depends on besides its setting: the commit, the sources as they are, and the other parameters.

    Args:
        settled: the keys of `params.yaml` that every experiment sets, so that their present values do not count.
    """
    content = YAML(typ="safe").load(paths.PARAMS)
    for key in settled:
        *path, last = key.split(".")
        node = content
        for part in path:
            node = node.get(part, {})
        node.pop(last, None)
    digest = hashlib.sha256((_output("git", "rev-parse", "HEAD") + json.dumps(content, default=str)).encode())
    for source in [Path("dvc.yaml"), *sorted(Path("digits").rglob("*.py")), *sorted(Path("stages").glob("*.py"))]:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def experiment_name(setting: Setting, fixed: Setting, state: str) -> str:
    """The same name for the same setting of the same project."""
    digest = hashlib.sha256(json.dumps([sorted({**fixed, **setting}.items()), state]).encode()).hexdigest()
    return f"sweep-{digest[:10]}"


def existing() -> set[str]:
    """The names of the experiments on this commit."""
    return set(_output("dvc", "exp", "list", "--name-only").split())


def run_experiment(name: str, setting: Setting) -> None:
    """Runs one in a copy of the project; one that fails is told and leaves the others alone."""
    options = [part for key, value in setting.items() for part in ("--set-param", f"{key}={value}")]
    command = ["dvc", "exp", "run", "--temp", "--name", name, *options, "train"]
    experiment = subprocess.Popen(command)  # noqa: S603
    try:
        failed = experiment.wait()
    except KeyboardInterrupt:
        experiment.wait()  # DVC, interrupted too, puts the work tree back that it had stashed: let it
        raise
    if failed:
        print(f"{name} failed; the others go on", file=sys.stderr, flush=True)


def ranked(names: Mapping[str, Setting]) -> list[dict[str, Any]]:
    """The finished experiments, the highest validation accuracy first, then the lowest validation loss."""
    rows = []
    for name in existing() & set(names):
        with dvc.api.open(str(paths.TRAIN_METRICS), rev=name) as file:
            figures = json.load(file)
        rows.append({"name": name, "setting": names[name], **figures})
    return sorted(rows, key=lambda row: (-row["val_accuracy"], row["val_loss"]))


def table(rows: Sequence[Mapping[str, Any]], count: int) -> str:
    """The rows for a person."""
    keys = list(rows[0]["setting"])
    header = ["validation accuracy", "loss", *(".".join(key.split(".")[-2:]) for key in keys), "experiment"]
    cells = [[f"{r['val_accuracy']:.2%}", f"{r['val_loss']:.4f}", *r["setting"].values(), r["name"]] for r in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in [header, *cells]]
    if len(rows) < count:
        lines.append(f"{count - len(rows)} of {count} failed")
    return "\n".join(lines)


def write_best(setting: Setting) -> None:
    """Writes the values into `params.yaml`, whose comments stay."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 4096, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(NULL, "null"))
    content = yaml.load(paths.PARAMS)
    for key, value in setting.items():
        *path, last = key.split(".")
        node = content
        for part in path:
            node = node[part]
        node[last] = yaml.load(_spaced(value))
    with files.replacing(paths.PARAMS) as partial:
        yaml.dump(content, partial)


def _spaced(value: str) -> str:
    """`{a:1}` as YAML reads it."""
    return re.sub(r":(?=\S)", ": ", value) if value.startswith(("{", "[")) else value


def _split(pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not equals or not value:
        raise UserError(f"{pair}: write KEY=VALUES, such as recipes.fast_cnn.schedule.peak=0.003,0.01")
    return key, value


def _listed(values: str) -> list[str]:
    """The values between the commas that are in no bracket: `1,2` and `[8,16],{a:1,b:2}` are two each."""
    found, depth = [""], 0
    for letter in values:
        depth += (letter in "[{(") - (letter in "]})")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [value for value in found if value]


def _told(setting: Setting) -> str:
    return "  ".join(f"{key}={value}" for key, value in setting.items())


def _output(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise UserError(f"`{' '.join(command)}` failed: {' '.join(done.stderr.split())[:200]}")
    return done.stdout


if __name__ == "__main__":
    run(main)

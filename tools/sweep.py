"""Searches hyper-parameters with DVC's experiments: a grid or random draws, ranked by *validation* accuracy.

    make sweep                                                              # a small grid on the embedded set
    make sweep SET= KEYS="recipes.fast_cnn.schedule.peak=0.003,0.01,0.03"   # on MNIST
    make sweep DRAWS=8 KEYS="recipes.fast_cnn.optimizer.weight_decay=log(0.001,0.1)"
    make sweep WRITE=1                                                      # and the best into params.yaml

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
from collections.abc import Mapping, Sequence
from typing import Any

import dvc.api
from ruamel.yaml import YAML

from digits import artifacts, params, paths
from digits.errors import UserError, run

Setting = dict[str, str]  # key of params.yaml -> value, as `dvc exp run --set-param` takes it

NULL = "tag:yaml.org,2002:null"  # which ruamel.yaml would write as nothing at all
DRAWN = re.compile(r"(uniform|log|int)\(([^,()]+),([^,()]+)\)")


def main() -> None:
    """Runs what is missing, prints the table, writes the best back where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", nargs="+", metavar="KEY=VALUES", help="1,2,3 or, for draws, uniform|log|int(low,high)")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="for all experiments alike")
    parser.add_argument("--draws", type=int, default=0, help="so many random settings instead of the grid")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--write", action="store_true", help="write the best setting into params.yaml")
    arguments = parser.parse_args()

    parameters = params.load()
    space, fixed = (dict(map(_split, pairs)) for pairs in (arguments.keys, arguments.set))
    known = parameters.model_dump()
    for key in [*space, *fixed]:
        check(key, known)
    settings = drawn(space, arguments.draws, arguments.seed) if arguments.draws else grid(space)
    state = project_state()
    names = {experiment_name(setting, fixed, state): setting for setting in settings}
    for place, (name, setting) in enumerate(names.items(), 1):
        print(f"{place}/{len(names)}  {name}  {_told(setting)}", flush=True)
        if name not in existing():
            run_experiment(name, {**fixed, **setting})
    rows = ranked(names)
    print(table(rows, len(names)))
    if arguments.write and rows:
        write_best(rows[0]["setting"])


def check(key: str, known: Mapping[str, Any]) -> None:
    """Refuses a key that `params.yaml` does not have, before anything is run."""
    node: Any = known
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            raise UserError(
                f"{paths.PARAMS} has no key {key}"
                + (f"; at '{part}' there are {', '.join(node)}" if isinstance(node, Mapping) else "")
            )
        node = node[part]


def grid(space: Mapping[str, str]) -> list[Setting]:
    """Every combination of the listed values."""
    for key, values in space.items():
        if DRAWN.fullmatch(values):
            raise UserError(
                f"{key}={values} is a range: a grid needs a list of values, or say how many to draw (DRAWS=8)"
            )
    return [dict(zip(space, chosen, strict=True)) for chosen in itertools.product(*map(_listed, space.values()))]


def drawn(space: Mapping[str, str], count: int, seed: int) -> list[Setting]:
    """`count` random settings: `uniform` and `int` between their bounds, `log` so that each magnitude is as likely."""
    generator = random.Random(seed)  # noqa: S311  # not for secrets

    def draw(values: str) -> str:
        found = DRAWN.fullmatch(values)
        if not found:
            return generator.choice(_listed(values))
        low, high = float(found[2]), float(found[3])
        match found[1]:
            case "uniform":
                return f"{generator.uniform(low, high):.4g}"
            case "log":
                return f"{math.exp(generator.uniform(math.log(low), math.log(high))):.4g}"
            case _:
                return str(generator.randint(int(low), int(high)))

    return [{key: draw(values) for key, values in space.items()} for _ in range(count)]


def project_state() -> str:
    """What an experiment depends on besides its setting: the commit and what was changed since."""
    return "".join(_output("git", *command) for command in (["rev-parse", "HEAD"], ["diff", "HEAD"]))


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
    command = ["dvc", "exp", "run", "--quiet", "--temp", "--name", name, *options, "train"]
    if subprocess.run(command, check=False).returncode:  # noqa: S603
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
    if not rows:
        return "no experiment succeeded"
    keys = list(rows[0]["setting"])
    header = ["validation accuracy", "loss", *(".".join(key.split(".")[-2:]) for key in keys), "experiment"]
    lines = [
        header,
        *(
            [f"{row['val_accuracy']:.2%}", f"{row['val_loss']:.4f}", *row["setting"].values(), row["name"]]
            for row in rows
        ),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    if len(rows) < count:
        text.append(f"{count - len(rows)} of {count} failed")
    return "\n".join(text)


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
        node[last] = yaml.load(value)
    with artifacts.replacing(paths.PARAMS) as partial:
        yaml.dump(content, partial)
    print(f"written to {paths.PARAMS}: {_told(setting)}")


def _split(pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not equals or not value:
        raise UserError(f"{pair}: write KEY=VALUES, such as recipes.fast_cnn.schedule.peak=0.003,0.01")
    return key, value


def _listed(values: str) -> list[str]:
    """`1,2` and `[8,16],[16,32]` are two values each."""
    return re.findall(r"\[[^\]]*\]|[^,]+", values)


def _told(setting: Setting) -> str:
    return "  ".join(f"{key}={value}" for key, value in setting.items())


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


if __name__ == "__main__":
    run(main)

"""Exact resume: what an interrupted training leaves behind, so that the next run ends with the same bytes.

Keras' `BackupAndRestore` restores neither the states of dropout's random generators nor the order of the data nor other
callbacks, and writes in place. Here every variable of the network and its optimiser is kept, and the weights of the
best epoch. The order of the data is a function of the step (`digits.inputs.batches`), and the callbacks' state is one
of the history (`digits.training.callbacks`): neither needs to be stored.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import digits
from digits.core import files
from digits.core.errors import UserError

Values = list[np.ndarray]

PACKAGE = Path(digits.__file__).parent  # all of it: an edit anywhere in it may change what a training does


@dataclass
class State:
    """Where a training is after an epoch.

    Attributes:
        history: one row an epoch.
        variables: of the network and its optimiser, in Keras' order.
        best: the network's variables at its best epoch, where the recipe asks for them.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    variables: Values = field(default_factory=list)
    best: Values = field(default_factory=list)


class Checkpoint:
    """The state after the last finished epoch, in one file, valid for one fingerprint.

    Args:
        path: the file; it is replaced as a whole after each epoch.
        identity: everything that the training depends on. A file written under another identity is ignored. The
            versions of Keras and TensorFlow and the sources of this package are added to it.
    """

    def __init__(self, path: Path, identity: Any) -> None:
        self.path, self.identity = path, identity
        self.fingerprint = _fingerprint(identity)

    def member(self, number: int) -> "Checkpoint":
        """That of one member of an ensemble, in a file beside this one."""
        return Checkpoint(self.path.with_stem(f"{self.path.stem}.{number}"), [self.identity, number])

    def save(self, state: State) -> None:
        """Keeps the state."""
        arrays = {f"variables_{number}": value for number, value in enumerate(state.variables)}
        arrays |= {f"best_{number}": value for number, value in enumerate(state.best)}
        meta = json.dumps({"fingerprint": self.fingerprint, "history": state.history})
        files.write_arrays(self.path, {**arrays, "meta": np.array(meta)})

    def load(self) -> State:
        """The state that was kept; a new one where there is none."""
        try:
            arrays = files.read_arrays(self.path, ["meta"])
        except (FileNotFoundError, UserError):
            return State()
        meta = json.loads(str(arrays["meta"]))
        if meta["fingerprint"] != self.fingerprint:
            return State()
        return State(meta["history"], list(_numbered(arrays, "variables")), list(_numbered(arrays, "best")))

    def discard(self) -> None:
        """Removes the files of all members: the training is done."""
        for path in self.path.parent.glob(f"{self.path.stem}.*{self.path.suffix}"):
            path.unlink(missing_ok=True)


def values(variables: Sequence[keras.Variable]) -> Values:
    """A copy of what the variables hold."""
    return [np.array(variable) for variable in variables]


def assign(variables: Sequence[keras.Variable], kept: Values) -> None:
    """Gives the variables what `values` found in them."""
    for variable, value in zip(variables, kept, strict=True):
        variable.assign(value)


def _numbered(arrays: dict[str, np.ndarray], kind: str) -> Iterator[np.ndarray]:
    number = 0
    while (name := f"{kind}_{number}") in arrays:
        yield arrays[name]
        number += 1


def _fingerprint(identity: Any) -> str:
    digest = hashlib.sha256(json.dumps([identity, keras.__version__, tf.__version__], default=str).encode())
    for source in sorted(PACKAGE.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()

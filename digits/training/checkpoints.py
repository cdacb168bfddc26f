"""Exact resume: an interrupted training continues from its checkpoint and ends with the same bytes.

Keras' `BackupAndRestore` restores neither the state of dropout's random generators nor the order of the data nor the
state of other callbacks, and does not write atomically. This checkpoint holds every variable of the network and its
optimiser, the weights of the best epoch, and the history. The order of the data is a function of the step
(`digits.inputs.batches`), the callbacks' state one of the history (`digits.training.callbacks`): neither is stored.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import PIL
import scipy
import tensorflow as tf

import digits
from digits.core import files
from digits.core.errors import UserError

Values = list[np.ndarray]

LIBRARIES = (keras, tf, np, scipy, PIL)  # which compute the training, or draw the outliers it learns from
PACKAGE = Path(digits.__file__).parent  # the whole package: any edit in it may change a training


@dataclass
class State:
    """The state of a training after an epoch.

    Attributes:
        history: one row an epoch.
        variables: of the network and its optimiser, in Keras' order.
        best: the network's variables at its best epoch, if the recipe restores them.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    variables: Values = field(default_factory=list)
    best: Values = field(default_factory=list)


class Checkpoint:
    """A file with the state after the last finished epoch, valid for one fingerprint.

    Args:
        path: the file; it is replaced as a whole after each epoch.
        identity: everything that the training depends on. A file written under another identity is ignored. The
            versions of the libraries that compute and the sources of this package are added to it.
        writes: False for a worker that only follows the chief's file.
    """

    def __init__(self, path: Path, identity: Any, *, writes: bool = True) -> None:
        self.path, self.identity, self.writes = path, identity, writes
        self.fingerprint = _fingerprint(identity)

    def member(self, number: int) -> "Checkpoint":
        """Returns the checkpoint of one member of an ensemble, in a file beside this one."""
        path = self.path.with_stem(f"{self.path.stem}.{number}")
        return Checkpoint(path, [self.identity, number], writes=self.writes)

    def save(self, state: State) -> None:
        """Writes the state."""
        if not self.writes:
            return
        arrays = {f"variables_{number}": value for number, value in enumerate(state.variables)}
        arrays |= {f"best_{number}": value for number, value in enumerate(state.best)}
        meta = json.dumps({"fingerprint": self.fingerprint, "history": state.history})
        files.write_arrays(self.path, {**arrays, "meta": np.array(meta)})

    def load(self) -> State:
        """Reads the saved state; returns a new one if there is none, and says so if the file is damaged."""
        try:
            arrays = files.read_arrays(self.path, ["meta"])
        except FileNotFoundError:
            return State()
        except UserError:
            print(f"{self.path}: damaged, so it is ignored; the training starts from the beginning", flush=True)
            return State()
        meta = json.loads(str(arrays["meta"]))
        if meta["fingerprint"] != self.fingerprint:
            return State()
        return State(meta["history"], list(_numbered(arrays, "variables")), list(_numbered(arrays, "best")))

    def discard(self) -> None:
        """Removes the files of all members, once the training is done."""
        for path in self.path.parent.glob(f"{self.path.stem}.*{self.path.suffix}"):
            path.unlink(missing_ok=True)


def values(variables: Sequence[keras.Variable]) -> Values:
    """Returns copies of the variables' values."""
    return [np.array(variable) for variable in variables]


def assign(variables: Sequence[keras.Variable], saved: Values) -> None:
    """Sets the variables to what `values` returned."""
    for variable, value in zip(variables, saved, strict=True):
        variable.assign(value)


def _numbered(arrays: dict[str, np.ndarray], kind: str) -> Iterator[np.ndarray]:
    number = 0
    while (name := f"{kind}_{number}") in arrays:
        yield arrays[name]
        number += 1


def _fingerprint(identity: Any) -> str:
    versions = [library.__version__ for library in LIBRARIES]
    digest = hashlib.sha256(json.dumps([identity, versions], default=str).encode())
    for source in sorted(PACKAGE.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()

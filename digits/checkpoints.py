"""Exact resume: what an interrupted training leaves behind, so that the next run ends with the same bytes.

Keras' `BackupAndRestore` restores neither the states of dropout's random generators nor the order of the data, and
writes in place. Here every variable of the network and its optimiser is kept; the data's order is a function of the
epoch (`digits.batches`), so there is nothing of it to keep.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits import artifacts
from digits.errors import UserError


class Checkpoint:
    """The state after the last finished epoch, in one file, valid for one fingerprint.

    Args:
        path: the file; it is replaced as a whole after each epoch.
        identity: everything that the training depends on. A file written under another identity is ignored. The
            versions of Keras and TensorFlow and the sources of this package are added to it.
    """

    def __init__(self, path: Path, identity: Any) -> None:
        self.path = path
        self.fingerprint = _fingerprint(identity)

    def save(self, model: keras.Model, history: list[dict[str, Any]]) -> None:
        """Keeps the state of a compiled `model` whose optimiser is built, and the history so far."""
        state = {f"variable_{number}": value.numpy() for number, value in enumerate(_variables(model))}
        meta = json.dumps({"fingerprint": self.fingerprint, "history": history})
        artifacts.write_arrays(self.path, {**state, "meta": np.array(meta)})

    def restore(self, model: keras.Model) -> list[dict[str, Any]]:
        """Brings `model` to the kept state and returns the history that led there; empty where there is none."""
        try:
            state = artifacts.read_arrays(self.path, ["meta"])
        except (FileNotFoundError, UserError):
            return []
        meta = json.loads(str(state["meta"]))
        if meta["fingerprint"] != self.fingerprint:
            return []
        for number, variable in enumerate(_variables(model)):
            variable.assign(state[f"variable_{number}"])
        return list(meta["history"])

    def discard(self) -> None:
        """Removes the file: the training is done."""
        self.path.unlink(missing_ok=True)


def _variables(model: keras.Model) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]


def _fingerprint(identity: Any) -> str:
    digest = hashlib.sha256(json.dumps([identity, keras.__version__, tf.__version__], default=str).encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()

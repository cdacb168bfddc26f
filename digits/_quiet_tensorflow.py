"""Imports TensorFlow without the lines that it prints to standard error."""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import tempfile
from collections.abc import Sequence
from types import ModuleType


def install() -> None:
    """Holds back what the first import of TensorFlow prints, in this process."""
    # TensorFlow's own level for what it logs after its import: fatal only, because real failures are Python exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.meta_path.insert(0, _QuietImport())


class _QuietImport(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports TensorFlow with standard error held back; it is shown when the import fails.

    The import greets every process with eight lines about absent GPUs that no setting silences
    (https://github.com/tensorflow/tensorflow/issues/100442); a person would look for our one line among them.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        found = importlib.util.find_spec(name)
        if found and found.loader:
            self.loader, found.loader = found.loader, self
        return found

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        if module.__spec__:
            module.__spec__.loader = self.loader
        with tempfile.TemporaryFile() as greetings:
            kept = os.dup(2)
            os.dup2(greetings.fileno(), 2)
            try:
                self.loader.exec_module(module)
            except BaseException:
                greetings.seek(0)
                os.write(kept, greetings.read())
                raise
            finally:
                os.dup2(kept, 2)
                os.close(kept)

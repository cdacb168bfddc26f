"""Imports TensorFlow silently and faster, and Keras without packages that are not used with it."""

import contextlib
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from types import ModuleType


def install() -> None:
    """Suppresses what the first import of TensorFlow prints in this process."""
    # Log level after the import: fatal messages only, because real failures are raised as Python exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.meta_path[:0] = [_QuietImport(), _SpareImport()]


class _SpareImport(importlib.abc.MetaPathFinder):
    """Hides packages from Keras that it imports where they are installed, for wrappers and galleries.

    Nothing here uses these, and they take a second of the three and a half of the whole import, in every stage. After
    Keras' own import the packages are there as ever.
    """

    PACKAGES = ("matplotlib", "pandas", "sklearn")

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        keras = sys.modules.get("keras")
        if name in self.PACKAGES and getattr(getattr(keras, "__spec__", None), "_initializing", False):
            raise ModuleNotFoundError(f"{name} is hidden while Keras is imported", name=name)


class _QuietImport(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports TensorFlow with standard error captured; it is printed only if the import fails.

    The import prints eight lines about absent GPUs that no setting silences
    (https://github.com/tensorflow/tensorflow/issues/100442); they would hide our own one-line messages.
    """

    searching = False

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "tensorflow" or self.searching:
            return None
        self.searching = True  # libraries also look for TensorFlow without importing it, so this finder stays
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.searching = False
        if spec and spec.loader:
            self.loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        sys.meta_path.remove(self)
        module.__loader__ = self.loader
        if module.__spec__:
            module.__spec__.loader = self.loader
        with _without_collections(), tempfile.TemporaryFile() as captured:
            stderr = os.dup(2)
            os.dup2(captured.fileno(), 2)
            try:
                self.loader.exec_module(module)
            except BaseException:
                captured.seek(0)
                os.write(stderr, captured.read())
                raise
            finally:
                os.dup2(stderr, 2)
                os.close(stderr)


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Imports something large without garbage collections, and exempts what it made from all later ones.

    The objects of TensorFlow's modules live until the process ends; searching them for garbage, again and again while
    they become more, and once more at the end, takes 1.4 of the 3.2 seconds of such a process.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()

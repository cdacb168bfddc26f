"""The trained models in the project: those of the pipeline, of `make run` and of `make compare`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from digits.core import paths
from digits.core.errors import UserError
from digits.models import metadata
from digits.models.metadata import Metadata


def catalogue(root: Path = Path()) -> dict[str, tuple[Path, Path]]:
    """Lists the trained models: display name -> model file and its `about.json`.

    Those that another version of the project left, and cannot be read, are named on stderr and left out; the
    pipeline's own may not be.

    Raises:
        UserError: the description of the pipeline's model is damaged.
    """
    return dict(_entries(root))


def _entries(root: Path) -> Iterator[tuple[str, tuple[Path, Path]]]:
    kinds = {
        paths.LITERT: "LiteRT",
        paths.LITERT_INT8: "LiteRT, 8-bit integers",
        paths.ONNX: "ONNX",
        paths.MODEL: "Keras",
    }
    for folder in (root, *sorted((root / "runs").glob("*"))):  # the pipeline's own, then what `make run` left
        described = folder / paths.ABOUT
        if described.is_file() and (about := _read(described, may_be_old=folder != root)):
            name = f"{about.recipe} on {about.dataset}"
            place = "" if folder == root else f", runs/{folder.name}"
            for path, kind in kinds.items():
                if (folder / path).exists():
                    yield f"{name} ({kind}{place})", (folder / path, described)
    for described in sorted((root / "runs").glob("compare*/compare/results/*/about.json")):
        file = described.with_name(paths.MODEL.name)
        if file.exists() and (about := _read(described, may_be_old=True)):
            yield f"{described.parent.name} on {about.dataset} (Keras, from make compare)", (file, described)


def _read(described: Path, *, may_be_old: bool) -> Metadata | None:
    try:
        return metadata.read(described)
    except UserError as error:
        if not may_be_old:
            raise
        print(f"left out: {error}", file=sys.stderr)
        return None


def chosen(model: Path | None, described: Path | None = None) -> tuple[Path, Path]:
    """The named model or else the first of the catalogue, and its `about.json`.

    Raises:
        UserError: no model is named, and there is none.
    """
    if model:
        return model, described or model.with_name(paths.ABOUT.name)
    for _, first in _entries(Path()):
        return first
    raise UserError("no trained model here; run `make repro` (MNIST) or `make run` (the embedded digits) first")

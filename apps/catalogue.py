"""The trained models in the project: those of the pipeline, of `make run` and of `make compare`."""

from pathlib import Path

from digits.core import paths
from digits.core.errors import UserError
from digits.models import metadata


def catalogue(root: Path = Path()) -> dict[str, tuple[Path, Path]]:
    """Lists the trained models: display name -> model file and its `about.json`."""
    kinds = {
        paths.LITERT: "LiteRT",
        paths.LITERT_INT8: "LiteRT, 8-bit integers",
        paths.ONNX: "ONNX",
        paths.MODEL: "Keras",
    }
    models: dict[str, tuple[Path, Path]] = {}
    for folder in (root, *sorted((root / "runs").glob("*"))):  # the pipeline's own, then what `make run` left
        described = folder / paths.ABOUT
        if described.is_file():
            about = metadata.read(described)
            name = f"{about.recipe} on {about.dataset}"
            place = "" if folder == root else f", runs/{folder.name}"
            files = ((folder / path, kind) for path, kind in kinds.items())
            models |= {f"{name} ({kind}{place})": (file, described) for file, kind in files if file.exists()}
    for described in sorted((root / "runs").glob("compare*/compare/results/*/about.json")):
        file = described.with_name(paths.MODEL.name)
        if file.exists():
            name = f"{described.parent.name} on {metadata.read(described).dataset}"
            models[f"{name} (Keras, from make compare)"] = (file, described)
    return models


def chosen(model: Path | None, described: Path | None = None) -> tuple[Path, Path]:
    """The named model or else the first of the catalogue, and its `about.json`.

    Raises:
        UserError: no model is named, and there is none.
    """
    if model:
        return model, described or model.with_name(paths.ABOUT.name)
    for first in catalogue().values():
        return first
    raise UserError("no trained model here; run `make repro` (MNIST) or `make run` (the embedded digits) first")

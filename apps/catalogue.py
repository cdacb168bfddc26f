"""The trained models that are there: those of the pipeline, of `make run` and of `make compare`."""

from pathlib import Path

from digits.core import paths
from digits.core.errors import UserError
from digits.models import metadata


def catalogue(root: Path = Path()) -> dict[str, tuple[Path, Path]]:
    """The trained models that are there: a name for people -> the model's file and its `about.json`."""
    kinds = {
        paths.LITERT: "LiteRT",
        paths.LITERT_INT8: "LiteRT, 8-bit integers",
        paths.ONNX: "ONNX",
        paths.MODEL: "Keras",
    }
    found: dict[str, tuple[Path, Path]] = {}
    for folder in (root, *sorted((root / "runs").glob("*"))):  # the pipeline's own, then what `make run` left
        described = folder / paths.ABOUT
        if described.is_file():
            known = metadata.read(described)
            name = f"{known.recipe} on {known.dataset}"
            place = "" if folder == root else f", runs/{folder.name}"
            files = ((folder / path, kind) for path, kind in kinds.items())
            found |= {f"{name} ({kind}{place})": (file, described) for file, kind in files if file.exists()}
    for described in sorted((root / "compare" / "results").glob("*/about.json")):
        file = described.with_name(paths.MODEL.name)
        if file.exists():
            name = f"{described.parent.name} on {metadata.read(described).dataset}"
            found[f"{name} (Keras, from make compare)"] = (file, described)
    return found


def chosen(model: Path | None, described: Path | None = None) -> tuple[Path, Path]:
    """The named model, or else the first of the catalogue, and the `about.json` that belongs to it.

    Raises:
        UserError: none is named and none is there.
    """
    if model:
        return model, described or model.with_name(paths.ABOUT.name)
    for found in catalogue().values():
        return found
    raise UserError("no trained model here; run `make repro` (MNIST) or `make run` (the embedded digits) first")

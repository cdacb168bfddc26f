"""Loads pictures from a folder that has a folder of image files for each class."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from digits.core.errors import UserError, one_line
from digits.core.progress import track
from digits.drawing import framing
from digits.splits.holdout import split_off_test
from digits.splits.split import Dataset, Split

Convert = Callable[[Image.Image], np.ndarray]

MODES = {1: "L", 3: "RGB"}  # number of channels -> Pillow's name
SPLITS = ("train", "test")
FEWEST = {True: (2, 1), False: (5,)}  # pictures of a class, with or without a test folder: each split gets one
IGNORED = {"thumbs.db", "desktop.ini"}  # what file managers leave behind


def load(folder: Path, size: int | None, channels: int, *, framed: bool = False) -> Dataset:
    """Loads a folder of classes; or one that has `train` and `test`, each a folder of the same classes.

    Without these two a fifth of each class becomes the test split.

    Args:
        folder: the names of the folders in it are those of the classes; any files that Pillow reads, however deep.
        size: height and width; pictures are padded to a square with the mean colour of their border, and resized. None
            takes them as they are.
        channels: 1 for grey, 3 for RGB; transparent pixels become white.
        framed: in place of these two, ink on paper becomes an image of 28x28x1 as `drawing.framing.frame` makes it of
            what somebody draws on the page: a model trained on such images reads drawings.

    Raises:
        UserError: the folder does not look like that, a file is no picture or shows nothing, or the pictures differ in
            size.
    """
    if not folder.is_dir():
        hint = "" if folder.is_absolute() else " here; an experiment runs in a copy of the project: give the whole path"
        raise UserError(f"dataset: {folder}: no such folder{hint}")
    roots = [folder / name for name in SPLITS]
    has_splits = all(root.is_dir() for root in roots) and not any(_files(root, deep=False) for root in roots)
    parts = roots if has_splits else [folder]
    classes = _classes(parts[0])
    for other in parts[1:]:
        if _classes(other) != classes:
            raise UserError(f"dataset: {parts[0]} has the classes {', '.join(classes)}, {other} has others")
    convert = _framed if framed else functools.partial(_resized, size=size, mode=MODES[channels])
    splits = [_read(part, classes, convert, fewest) for part, fewest in zip(parts, FEWEST[has_splits], strict=True)]
    train, test = splits if has_splits else split_off_test(splits[0])
    return Dataset(train, test, card=_card(folder, classes, splits))


def _classes(folder: Path) -> list[str]:
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if loose := _files(folder, deep=False):
        raise UserError(f"dataset: {loose[0]} lies beside the classes: each file belongs into the folder of its class")
    if len(names) < 2:
        there = f"only {names[0]}" if names else "none"
        raise UserError(f"dataset: {folder} must have a folder for each class, two at least; there is {there}")
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:  # bytes that no file which names the class could hold
            raise UserError(f"dataset: {folder} has the class {name!a}: rename the folder in UTF-8") from error
    return names


def _files(folder: Path, *, deep: bool = True) -> list[Path]:
    paths = [path for path in (folder.rglob("*") if deep else folder.iterdir()) if path.is_file()]
    hidden = [path for path in paths if any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(path for path in {*paths} - {*hidden} if path.name.lower() not in IGNORED)


def _read(folder: Path, classes: list[str], convert: Convert, fewest: int) -> Split:
    paths, labels = [], []
    for label, name in enumerate(classes):
        found = _files(folder / name)
        if len(found) < fewest:
            raise UserError(
                f"dataset: {folder / name} has {len(found)} picture{'s' * (len(found) != 1)}; {fewest} are needed at "
                "least, so that each split has one of the class"
            )
        paths += found
        labels += [label] * len(found)
    images = [_decoded(path, convert) for path in track(paths, "pictures", len(paths))]
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            raise UserError(
                f"dataset: pictures of several sizes, {_size(images[0])} in {paths[0]} and {_size(image)} in {path}: "
                "set pictures.size in params.yaml, to which all are resized"
            )
    return Split(np.stack(images), np.array(labels, np.int64))


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"


def _decoded(path: Path, convert: Convert) -> np.ndarray:
    """Returns a picture as uint8 `[H, W, C]`."""
    try:
        with Image.open(path) as picture:
            return convert(ImageOps.exif_transpose(picture))
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files
        raise UserError(f"dataset: {path} is no readable picture ({one_line(error, 80)}); remove or mend it") from error


def _framed(picture: Image.Image) -> np.ndarray:
    if _is_deep(picture) or picture.mode == "F":
        pixels = _stretched(picture)
    else:
        pixels = np.asarray(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))
    frame = framing.frame(pixels)
    if frame is None:
        raise ValueError("nothing is drawn on it")
    return frame[..., None]


def _resized(picture: Image.Image, size: int | None, mode: str) -> np.ndarray:
    image = _as_mode(_eight_bits(picture), mode)
    if size:
        image = ImageOps.pad(image, (size, size), Image.Resampling.LANCZOS, color=_border_colour(image))
    return np.asarray(image, np.uint8).reshape(image.height, image.width, -1)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Returns a grey picture of 16 bits with 8, which Pillow would cut off at 255; a transparent grey becomes white."""
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers, whose range is unknown: save it with 8 or 16 bits")
    if not _is_deep(image):
        return image
    values = np.clip(np.asarray(image, np.int64), 0, 65535)
    grey = np.where(values == image.info.get("transparency", -1), 255, values >> 8)
    return Image.fromarray(grey.astype(np.uint8))


def _is_deep(image: Image.Image) -> bool:
    return image.mode == "I" or image.mode.startswith("I;16")


def _stretched(image: Image.Image) -> np.ndarray:
    """Returns pixels from the least value, which becomes 0, to the largest, which becomes 255: as drawings are read."""
    values = np.asarray(image, np.float64)
    values = np.nan_to_num(values - values.min())
    return np.asarray(np.round(values * (255 / max(values.max(), 1))), np.uint8)


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert(mode)


def _border_colour(image: Image.Image) -> int | tuple[int, ...]:
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    mean = np.round(border.mean(axis=0)).astype(int)
    return int(mean) if mean.ndim == 0 else tuple(mean.tolist())


def _card(folder: Path, classes: list[str], splits: list[Split]) -> dict[str, object]:
    digest = hashlib.sha256()
    for split in splits:
        digest.update(split.images.tobytes() + split.labels.tobytes())
    return {
        "name": f"folder:{folder.resolve().name}",
        "version": digest.hexdigest()[:12],  # of the content, so that a change is seen
        "source": "a folder of pictures",
        "licence": "not stated",
        "citation": "",
        "classes": classes,
    }

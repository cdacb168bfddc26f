import os

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digits.core.errors import UserError
from digits.datasets import pictures
from digits.drawing import framing

GREY = {"size": None, "channels": 1}
ORIENTATION = 0x0112  # the number of the EXIF entry


def draw(path, value, size=(6, 6), mode="L"):
    """Writes a picture of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


@pytest.fixture
def folder(tmp_path):
    """Ten pictures of circles, from 0 to 9, and ten of squares, from 100 to 109."""
    for number in range(10):
        draw(tmp_path / "pictures" / "circle" / f"{number}.png", number)
        draw(tmp_path / "pictures" / "square" / f"{number}.png", 100 + number)
    return tmp_path / "pictures"


def colours(split):
    return split.images[:, 0, 0, 0].tolist()


def one(folder, size, channels, framed):
    """Loads a folder of two classes of the same three pictures, and returns the picture."""
    dataset = pictures.load(folder, size, channels, framed=framed)
    (image,) = np.unique(np.concatenate([dataset.train.images, dataset.test.images]), axis=0)
    return image


@pytest.fixture
def loaded(tmp_path):
    """Loads what a function writes to a path: `loaded(save, ending, size, channels)`."""

    def load(save, ending=".png", size=None, channels=1, *, framed=False):
        for name in ("a", "b"):
            for number in range(5):
                path = tmp_path / "same" / name / f"{number}{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                save(path)
        return one(tmp_path / "same", size, channels, framed)

    return load


def test_each_folder_is_a_class_of_which_a_fifth_is_the_test(folder):
    dataset = pictures.load(folder, **GREY)
    assert dataset.card["classes"] == ["circle", "square"]
    for split, each in ((dataset.train, 8), (dataset.test, 2)):
        assert split.images.shape == (2 * each, 6, 6, 1)
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int64)
        assert np.bincount(split.labels).tolist() == [each, each]
        assert [colour >= 100 for colour in colours(split)] == (split.labels == 1).tolist()
    assert sorted(colours(dataset.train) + colours(dataset.test)) == [*range(10), *range(100, 110)]


def test_each_time_the_same_test_split(folder):
    first, second = (pictures.load(folder, **GREY) for _ in range(2))
    assert [split.digest() for split in first.splits.values()] == [split.digest() for split in second.splits.values()]


def test_folders_train_and_test_are_the_splits(folder):
    for name in ("circle", "square"):
        draw(folder / "test" / name / "deep" / "er" / "only.png", 200)
    (folder / "train").mkdir()
    for name in ("circle", "square"):
        (folder / name).rename(folder / "train" / name)
    (folder / "README.txt").write_text("beside the splits anything may lie")
    dataset = pictures.load(folder, **GREY)
    assert colours(dataset.train) == [*range(10), *range(100, 110)]
    assert (colours(dataset.test), dataset.test.labels.tolist()) == ([200, 200], [0, 1])
    assert dataset.card["classes"] == ["circle", "square"]


def test_classes_may_have_the_names_of_the_splits(folder):
    for old, new in (("circle", "train"), ("square", "test")):
        (folder / old).rename(folder / new)
    dataset = pictures.load(folder, **GREY)
    assert dataset.card["classes"] == ["test", "train"]
    assert (len(dataset.train), len(dataset.test)) == (16, 4)


def test_the_splits_have_the_same_classes(folder):
    for split, names in (("train", ("circle", "square")), ("test", ("circle", "triangle"))):
        for name in names:
            draw(folder / split / name / "one.png", 0)
    with pytest.raises(UserError) as caught:
        pictures.load(folder, **GREY)
    assert (
        str(caught.value) == f"dataset: {folder / 'train'} has the classes circle, square, {folder / 'test'} has others"
    )


def test_the_card_names_the_folder_and_its_version_changes_with_a_pixel(folder):
    card = pictures.load(folder, **GREY).card
    assert card["name"] == "folder:pictures"
    assert all(isinstance(card[key], str) for key in ("version", "source", "licence", "citation"))
    assert pictures.load(folder, **GREY).card == card
    draw(folder / "circle" / "0.png", 1)
    changed = pictures.load(folder, **GREY).card
    assert changed != card
    assert {**changed, "version": card["version"]} == card


def test_a_folder_named_from_here_has_its_full_name_on_the_card(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert pictures.load(folder.relative_to(folder), **GREY).card["name"] == "folder:pictures"


def test_pictures_of_several_sizes_become_squares_of_one(folder):
    draw(folder / "circle" / "wide.png", 10, (9, 4))
    draw(folder / "square" / "tall.jpg", 110, (40, 70))
    assert pictures.load(folder, 8, 1).train.image_shape == [8, 8, 1]


def test_without_a_size_they_must_have_the_same(folder):
    draw(folder / "circle" / "wide.png", 10, (9, 4))
    with pytest.raises(UserError) as caught:
        pictures.load(folder, **GREY)
    assert str(caught.value) == (
        f"dataset: pictures of several sizes, 6x6 in {folder / 'circle' / '0.png'} and 9x4 in "
        f"{folder / 'circle' / 'wide.png'}: set pictures.size in params.yaml, to which all are resized"
    )


def test_without_a_size_they_stay_as_they_are(loaded):
    pixels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    np.testing.assert_array_equal(loaded(Image.fromarray(pixels).save)[..., 0], pixels)


def test_padding_keeps_the_aspect_ratio(loaded):
    # A black square on white, as wide as it is high, in a picture that is twice as wide as high.
    picture = Image.new("L", (80, 40), 255)
    picture.paste(0, (32, 12, 52, 32))
    image = loaded(picture.save, size=20)[..., 0]
    rows, columns = ((image < 128).any(axis=axis).sum() for axis in (1, 0))
    assert rows == columns == 5
    assert (image[:5] == 255).all(), "padded with the colour of the border"
    assert (image[-5:] == 255).all(), "padded with the colour of the border"


@pytest.mark.parametrize("size", [(100, 1), (1, 100)])
def test_a_picture_that_would_be_a_line_is_named(loaded, size):
    with pytest.raises(UserError, match=r"a/0\.png is no readable picture \(.+\); remove or mend it$"):
        loaded(Image.new("L", size, 9).save, size=8)


def test_the_padding_has_the_mean_colour_of_the_border(loaded):
    picture = Image.new("RGB", (40, 20), (10, 20, 30))
    picture.paste((200, 100, 50), (10, 5, 30, 15))
    image = loaded(picture.save, size=8, channels=3)
    assert image[0, 0].tolist() == image[-1, -1].tolist() == [10, 20, 30]
    half = Image.new("L", (10, 40), 0)
    half.paste(100, (0, 0, 5, 40))
    assert loaded(half.save, size=8)[0, 0, 0] == 50


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0)])
def test_channels_are_grey_or_three_colours(loaded, colour):
    save = Image.new("RGB", (5, 5), colour).save
    assert loaded(save, channels=3).tolist() == 5 * [5 * [list(colour)]]
    (grey,) = np.unique(loaded(save, channels=1))
    assert grey == Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0))


def test_a_grey_picture_has_three_equal_colours(loaded):
    image = loaded(Image.new("L", (5, 5), 77).save, channels=3)
    assert (image.shape, np.unique(image).tolist()) == ((5, 5, 3), [77])


def half_transparent(mode):
    """Red on the left; transparent on the right, where it hides black."""
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 4, 8))
    return picture.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_transparent_becomes_white(loaded, mode, channels):
    image = loaded(half_transparent(mode).save, channels=channels)
    assert (image[:, 4:] == 255).all()
    assert (image[:, :4] < 255).any(axis=-1).all(), "what is not transparent keeps its colour"


def test_one_colour_may_be_the_transparent_one(loaded):
    picture = Image.new("L", (8, 8), 0)
    picture.paste(90, (0, 0, 4, 8))
    image = loaded(lambda path: picture.save(path, transparency=0))
    assert image[0, :, 0].tolist() == 4 * [90] + 4 * [255]


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_become_eight(loaded, ending, channels):
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    image = loaded(Image.fromarray(values).save, ending, channels=channels)
    for channel in range(channels):
        np.testing.assert_array_equal(image[..., channel], values // 256)


@pytest.mark.parametrize("kind", ["transparent PNG", "PGM"])
def test_sixteen_bits_become_eight_in_other_files_too(loaded, kind):
    values = np.linspace(1000, 65535, 64).astype(np.uint16).reshape(8, 8)

    def save(path):
        if kind == "PGM":
            path.write_bytes(b"P5 8 8 65535\n" + values.astype(">u2").tobytes())
        else:
            Image.fromarray(values).save(path, transparency=0)

    np.testing.assert_allclose(loaded(save, ".pgm" if kind == "PGM" else ".png")[..., 0], values // 256, atol=1)


def test_a_transparent_grey_of_sixteen_bits_becomes_white(loaded):
    picture = Image.fromarray(np.repeat([500, 40000], 32).astype(np.uint16).reshape(8, 8))
    image = loaded(lambda path: picture.save(path, transparency=500))
    assert image[:, 0, 0].tolist() == 4 * [255] + 4 * [40000 // 256]


def test_floating_point_pixels_are_refused_rather_than_cut_off(folder):
    picture = folder / "square" / "3.tif"
    Image.fromarray(np.linspace(0, 1000, 64, dtype=np.float32).reshape(8, 8)).save(picture)
    with pytest.raises(UserError, match="floating-point numbers"):
        pictures.load(folder, **GREY)


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_a_photograph_is_turned_as_its_camera_was(loaded, orientation, turn):
    pixels = np.zeros((16, 24), np.uint8)
    pixels[:8, :8] = 255  # in whole blocks, which JPEG keeps
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = loaded(lambda path: Image.fromarray(pixels).save(path, quality=95, exif=exif), ".jpg")
    np.testing.assert_array_equal(image[..., 0] > 127, np.rot90(pixels, turn) > 127)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".gif", ".bmp", ".webp", ".tif", ".PNG"])
def test_any_format_that_pillow_reads_will_do(loaded, ending):
    image = loaded(Image.new("L", (8, 8), 200).save, ending)
    assert (image.shape, np.unique(image).tolist()) == ((8, 8, 1), [200])


def test_hidden_files_and_those_of_file_managers_are_passed_over(folder):
    before = pictures.load(folder, **GREY)
    for name in (".DS_Store", "circle/._0.png", "circle/Thumbs.db", "square/desktop.ini"):
        (folder / name).write_bytes(b"no picture")
    draw(folder / ".hidden" / "0.png", 0)
    after = pictures.load(folder, **GREY)
    assert after.card == before.card
    assert after.train.digest() == before.train.digest()


def test_hidden_folders_are_passed_over_in_a_class_too(folder):
    draw(folder / "circle" / ".ipynb_checkpoints" / "0-checkpoint.png", 0)
    dataset = pictures.load(folder, **GREY)
    assert len(dataset.train) + len(dataset.test) == 20


@pytest.mark.parametrize("path", ["circle/notes.txt", "square/broken.png"])
@pytest.mark.parametrize("content", [b"no picture", b""])
def test_a_file_that_is_no_picture_is_named(folder, path, content):
    (folder / path).write_bytes(content)
    with pytest.raises(
        UserError, match=r"^dataset: .*/pictures/\S+ is no readable picture \(.+\); remove or mend it$"
    ) as c:
        pictures.load(folder, **GREY)
    assert str(folder / path) in str(c.value)
    assert "\n" not in str(c.value)


def test_a_truncated_picture_is_named(folder):
    path = folder / "circle" / "0.png"
    draw(path, 0, (60, 60))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UserError, match=r"circle/0\.png is no readable picture"):
        pictures.load(folder, 8, 1)


@pytest.mark.parametrize(
    ("kept", "said"), [(0, "has 0 pictures; 5 are"), (1, "has 1 picture; 5 are"), (4, "has 4 pictures; 5 are")]
)
def test_a_class_with_too_few_pictures_is_named(folder, kept, said):
    for path in sorted((folder / "square").iterdir())[kept:]:
        path.unlink()
    with pytest.raises(
        UserError, match=f"^dataset: {folder / 'square'} {said} needed at least, so that each split has"
    ):
        pictures.load(folder, **GREY)


def test_each_class_is_in_the_test_split(tmp_path):
    for name, count in (("a", 5), ("b", 5), ("c", 5), ("d", 100)):
        for number in range(count):
            draw(tmp_path / name / f"{number}.png", number)
    assert set(pictures.load(tmp_path, **GREY).test.labels) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("train", "test", "named"), [(1, 1, "train/b has 1 picture; 2"), (2, 0, "test/b has 0 pictures; 1")]
)
def test_with_a_test_folder_two_pictures_and_one_will_do_but_not_fewer(tmp_path, train, test, named):
    def write(train, test):
        for split, count in (("train", train), ("test", test)):
            for name in ("a", "b"):
                (tmp_path / split / name).mkdir(parents=True, exist_ok=True)
                for number in range(2 if name == "a" else count):
                    draw(tmp_path / split / name / f"{number}.png", number)

    write(train, test)
    with pytest.raises(UserError, match=f"^dataset: .*{named} are needed at least"):
        pictures.load(tmp_path, **GREY)
    write(2, 1)
    dataset = pictures.load(tmp_path, **GREY)
    assert (len(dataset.train), len(dataset.test)) == (4, 3)


def test_a_loose_file_is_named(folder):
    draw(folder / "loose.png", 0)
    with pytest.raises(UserError) as caught:
        pictures.load(folder, **GREY)
    assert str(caught.value) == (
        f"dataset: {folder / 'loose.png'} lies beside the classes: each file belongs into the folder of its class"
    )


@pytest.mark.parametrize(("classes", "there"), [([], "none"), (["circle"], "only circle")])
def test_one_class_is_none(tmp_path, classes, there):
    for name in classes:
        draw(tmp_path / name / "0.png", 0)
    with pytest.raises(UserError) as caught:
        pictures.load(tmp_path, **GREY)
    assert str(caught.value) == (
        f"dataset: {tmp_path} must have a folder for each class, two at least; there is {there}"
    )


def test_a_relative_folder_that_is_not_there_may_be_so_in_a_copy_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    absolute = tmp_path / "nowhere"
    with pytest.raises(UserError) as caught:
        pictures.load(absolute.relative_to(tmp_path), **GREY)
    assert str(caught.value) == (
        "dataset: nowhere: no such folder here; an experiment runs in a copy of the project: give the whole path"
    )
    with pytest.raises(UserError) as caught:
        pictures.load(absolute, **GREY)
    assert str(caught.value) == f"dataset: {absolute}: no such folder"


def test_a_file_is_no_folder(tmp_path):
    draw(tmp_path / "picture.png", 0)
    with pytest.raises(UserError, match=r"picture\.png: no such folder$"):
        pictures.load(tmp_path / "picture.png", **GREY)


def ink(picture):
    """Draws a wide bar and a thin one."""
    pen = ImageDraw.Draw(picture)
    pen.rectangle((10, 12, 40, 18), fill="black")
    pen.rectangle((22, 12, 25, 52), fill="black")
    return picture


PAPERS = {
    "grey": Image.new("L", (60, 70), 230),
    "colours": Image.new("RGB", (60, 70), (250, 240, 200)),
    "transparent": Image.new("RGBA", (60, 70), (0, 0, 0, 0)),
}


@pytest.mark.parametrize(
    ("paper", "mode"), [("grey", "L"), ("grey", "P"), ("colours", "RGB"), ("colours", "P"), ("transparent", "RGBA")]
)
def test_ink_on_paper_becomes_what_a_drawing_becomes(loaded, paper, mode):
    picture = ink(PAPERS[paper].copy()).convert(mode)
    image = loaded(picture.save, framed=True)
    expected = framing.frame(np.asarray(picture.convert("RGBA")))
    assert expected.max() > 200, "there is something on it"
    np.testing.assert_array_equal(image[..., 0], expected)


def test_framed_pictures_may_have_any_size_and_the_other_settings_do_not_count(folder):
    for name in ("circle", "square"):
        for number, path in enumerate(sorted((folder / name).iterdir())):
            ink(Image.new("L", (60 + number, 70), 255)).save(path)
    dataset = pictures.load(folder, 9, 3, framed=True)
    assert dataset.train.image_shape == dataset.test.image_shape == [28, 28, 1]


def test_a_framed_picture_is_turned_as_its_camera_was(loaded):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture = ink(Image.new("L", (80, 80), 255))
    upright = loaded(picture.transpose(Image.Transpose.ROTATE_90).save, framed=True)
    photograph = loaded(lambda path: picture.transpose(Image.Transpose.ROTATE_180).save(path, exif=exif), framed=True)
    np.testing.assert_array_equal(photograph, upright)


def test_a_picture_with_nothing_on_it_cannot_be_framed(folder):
    for path in folder.rglob("*.png"):
        ink(Image.new("L", (60, 70), 255)).save(path)
    empty = folder / "square" / "3.png"
    draw(empty, 255, (60, 70))
    with pytest.raises(UserError) as caught:
        pictures.load(folder, **GREY, framed=True)
    assert str(caught.value) == (f"dataset: {empty} is no readable picture (nothing is drawn on it); remove or mend it")


def test_a_scan_of_sixteen_bits_can_be_framed(loaded):
    eight = ink(Image.new("L", (60, 70), 200)).point(lambda value: value + 30)
    sixteen = Image.fromarray(np.asarray(eight).astype(np.uint16) * 257)
    np.testing.assert_array_equal(loaded(sixteen.save, framed=True), loaded(eight.save, framed=True))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32], ids=["twelve of sixteen bits", "floating point"])
def test_framed_pictures_of_unknown_range_are_stretched(loaded, dtype):
    paper = np.full((160, 160), 4000, dtype)
    paper[40:120, 70:85] = 500
    image = loaded(Image.fromarray(paper).save, ".tif", framed=True)
    assert image.shape == (28, 28, 1)
    assert image.max() > 200, "something is drawn"


def test_a_class_whose_name_no_file_could_hold_is_one_line(folder):
    (folder / "square").rename(folder / os.fsdecode(b"caf\xe9"))
    with pytest.raises(UserError, match=r"has the class 'caf\\udce9': rename the folder in UTF-8"):
        pictures.load(folder, **GREY)

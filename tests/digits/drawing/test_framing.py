import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scipy import ndimage

from digits.drawing import framing, parts, strokes
from digits.drawing.strokes import Drawing
from tools.alphabets import VALIDATION
from tools.drawings import path

properties = settings(deadline=None, max_examples=25, derandomize=True)
# One path each that is tall, wide, round, of two strokes, with corners.
SHAPES = [
    path(VALIDATION[digit][style])
    for digit, style in [("1", "slanted"), ("2", "round"), ("4", "open"), ("8", "s_loop")]
]
shapes = st.sampled_from(SHAPES)


def draw(lines, *, size=100.0, at=(30.0, 30.0), canvas=(160, 160), pen=0.09):
    """Black on white; `pen` is a share of the size."""
    placed = tuple(line * size + at for line in lines)
    return strokes.render(Drawing(None, "", canvas, pen * size, placed))


def likeness(first, second):
    """The correlation, where one may stand a pixel beside the other: frames are centred by whole pixels."""
    moved = [np.roll(second, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(np.corrcoef(first.ravel(), image.ravel())[0, 1] for image in moved)


def alike(first, second):
    """Nearly the same frame: the grid falls otherwise on the edges, and a box of 6.5 pixels becomes 6 or 7."""
    return first is not None and second is not None and likeness(first, second) > 0.85


def same(first, second):
    """The same frame but for rounding, that of the renderer's coordinates included."""
    return first is not None and np.abs(first.astype(int) - second).max() <= 8


def test_two_different_shapes_are_not_alike():
    # Else the properties below would hold for anything.
    frames = [framing.frame(draw(shape)) for shape in SHAPES]
    for number, first in enumerate(frames):
        for second in frames[:number]:
            assert likeness(first, second) < 0.5


@properties
@given(shape=shapes, x=st.integers(8, 130), y=st.integers(8, 130))
def test_the_place_on_the_canvas_does_not_matter(shape, x, y):
    canvas = (250, 250)  # not reduced, so that whole pixels stay whole
    first, second = (framing.frame(draw(shape, at=place, canvas=canvas)) for place in ((50, 50), (x, y)))
    assert same(first, second)


@properties
@given(shape=shapes, x=st.floats(8, 90), y=st.floats(8, 90))
def test_a_part_of_a_pixel_does_not_matter_much(shape, x, y):
    first, second = (framing.frame(draw(shape, at=place, canvas=(220, 220))) for place in ((50, 50), (x, y)))
    assert alike(first, second)


@properties
@given(shape=shapes, size=st.floats(45, 900))
def test_the_size_does_not_matter(shape, size):
    side = int(1.4 * size)
    first = framing.frame(draw(shape))
    assert alike(first, framing.frame(draw(shape, size=size, at=(0.2 * size, 0.2 * size), canvas=(side, side))))


@properties
@given(shape=shapes, width=st.integers(125, 255), height=st.integers(125, 255))
def test_the_canvas_does_not_matter(shape, width, height):
    first, second = (framing.frame(draw(shape, at=(12, 12), canvas=canvas)) for canvas in ((160, 160), (width, height)))
    assert same(first, second)


@properties
@given(shape=shapes, width=st.integers(125, 1200), height=st.integers(125, 1200))
def test_nor_does_one_that_is_reduced_first(shape, width, height):
    # The drawing fills a share of the larger canvas that is still readable after the reduction.
    size = max(100, max(width, height) / 5)
    canvas = (max(width, int(1.3 * size)), max(height, int(1.3 * size)))
    assert alike(
        framing.frame(draw(shape)), framing.frame(draw(shape, size=size, at=(0.12 * size,) * 2, canvas=canvas))
    )


def coloured(picture, paper, pen):
    """The black on white picture with these colours in place of white and black."""
    share = picture[..., None] / 255
    return np.round(share * np.array(paper) + (1 - share) * np.array(pen)).astype(np.uint8)


colours = st.tuples(*[st.integers(0, 255)] * 3)


@properties
@given(shape=shapes, paper=colours, pen=colours)
def test_the_colours_do_not_matter(shape, paper, pen):
    contrast = np.abs(np.subtract(paper, pen)).max()
    if contrast < 60:
        pen = tuple((value + 128) % 256 for value in paper)
    picture = draw(shape)
    assert likeness(framing.frame(picture), framing.frame(coloured(picture, paper, pen))) > 0.98


def test_dark_on_light_is_light_on_dark():
    for shape in SHAPES:
        picture = draw(shape)
        assert same(framing.frame(picture), framing.frame(255 - picture))
        assert same(framing.frame(picture), framing.frame(picture[..., None]))


@properties
@given(shape=shapes, pen=colours, beneath=colours)
def test_with_transparency_the_alpha_is_the_ink_whatever_its_colour(shape, pen, beneath):
    picture = draw(shape)
    alpha = 255 - picture
    colour = np.where((alpha > 0)[..., None], np.array(pen), np.array(beneath))
    framed = framing.frame(np.concatenate([colour, alpha[..., None]], axis=-1).astype(np.uint8))
    assert same(framing.frame(picture), framed)


def test_an_opaque_picture_with_an_alpha_is_as_without():
    picture = coloured(draw(SHAPES[1]), (250, 240, 200), (20, 30, 160))
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    np.testing.assert_array_equal(framing.frame(picture), framing.frame(opaque))


def test_holes_in_an_opaque_picture_are_paper():
    picture = np.dstack([draw(SHAPES[1])] * 3 + [np.full((160, 160), 255, np.uint8)])
    holed = picture.copy()
    holed[70:75, 8:14] = (0, 0, 0, 0)
    assert same(framing.frame(picture), framing.frame(holed))


def weight_of(frame):
    return framing.stroke_width(np.pad(frame, 2) / 255)


@properties
@given(shape=shapes, pen=st.floats(0.015, 0.3), size=st.floats(60, 200))
def test_what_a_frame_is(shape, pen, size):
    frame = framing.frame(draw(shape, size=size, pen=pen, at=(40, 40), canvas=(280, 280)))
    assert frame.shape == (28, 28)
    assert frame.dtype == np.uint8
    assert frame.max() > 200
    rows, columns = (np.flatnonzero((frame > 0).any(axis=axis)) for axis in (1, 0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(height, width) == framing.LONGER
    # Between the limits, as far as the edges of so few pixels let it be measured.
    assert 0.75 * framing.LIGHTEST < weight_of(frame) < 1.35 * framing.HEAVIEST
    for at, low, extent in zip(ndimage.center_of_mass(frame), (rows[0], columns[0]), (height, width), strict=True):
        pushed = low in (0, framing.SIDE - extent)  # the box cannot be moved any further
        assert abs(at - 13.5) <= 1 or pushed


def test_a_hairline_is_widened_and_a_brush_is_narrowed():
    widths = {pen: weight_of(framing.frame(draw(SHAPES[0], pen=pen))) for pen in (0.015, 0.1, 0.35)}
    assert widths[0.015] > 1.15, "a hairline of 0.015 x 20 = 0.3 pixels"
    assert widths[0.35] < 5.5, "a brush of 0.35 x 20 = 7 pixels"
    assert widths[0.015] < widths[0.1] < widths[0.35]


def test_the_centre_of_mass_and_not_of_the_box_is_in_the_middle():
    heavy_below = np.full((100, 100), 255, np.uint8)
    heavy_below[20:80, 48:54] = 0
    heavy_below[66:80, 34:68] = 0
    frame = framing.frame(heavy_below)
    rows = np.flatnonzero(frame.any(axis=1))
    assert (rows[0] + rows[-1]) / 2 < 12
    assert ndimage.center_of_mass(frame)[0] == pytest.approx(13.5, abs=0.6)


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 1), (40, 50, 3), (40, 50, 4), (1, 1), (1, 500, 3), (600, 400)])
@pytest.mark.parametrize("value", [0, 7, 128, 255])
def test_nothing_is_found_where_nothing_is_drawn(shape, value):
    assert framing.frame(np.full(shape, value, np.uint8)) is None


def test_a_transparent_picture_holds_nothing_whatever_is_beneath():
    beneath = np.random.default_rng(0).integers(0, 256, (60, 60, 4), np.uint8)
    beneath[..., 3] = 0
    assert framing.frame(beneath) is None


def test_what_is_too_faint_to_be_seen_is_nothing():
    faint = np.full((60, 60), 200, np.uint8)
    faint[20:40, 28:34] = 192
    assert framing.frame(faint) is None
    faint[20:40, 28:34] = 160
    assert framing.frame(faint) is not None


@properties
@given(shape=shapes, seed=st.integers(0, 999), deviation=st.floats(1, 12))
def test_the_papers_noise_does_not_matter(shape, seed, deviation):
    picture = draw(shape)
    noisy = np.clip(picture * 0.7 + 30 + np.random.default_rng(seed).normal(0, deviation, picture.shape), 0, 255)
    assert alike(framing.frame(picture), framing.frame(noisy.astype(np.uint8)))


@properties
@given(shape=shapes, places=st.lists(st.tuples(st.integers(0, 197), st.integers(0, 197)), max_size=5))
def test_specks_far_away_do_not_matter(shape, places):
    picture = draw(shape, at=(40, 40), canvas=(200, 200))
    dirty = picture.copy()
    for top, left in places:
        if not (30 < top < 155 and 30 < left < 155):
            dirty[top : top + 2, left : left + 2] = 0
    assert same(framing.frame(picture), framing.frame(dirty))


def test_a_second_stroke_is_no_speck():
    lines = [np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[0.6, 0.5], [0.6, 0.62]])]
    with_dash, without = framing.frame(draw(lines)), framing.frame(draw(lines[:1]))
    columns = [np.flatnonzero(frame.any(axis=0)) for frame in (with_dash, without)]
    assert np.ptp(columns[0]) > np.ptp(columns[1]) + 6


def test_a_tight_crop_whose_edge_is_mostly_ink_is_read_the_right_way_round():
    angle = np.full((40, 40), 255, np.uint8)
    angle[:, :4] = angle[-4:] = angle[:4, :20] = 0
    assert np.median(framing.edge(angle[None])) == 0, "else this says nothing"
    with_margin = np.pad(angle, 20, constant_values=255)
    assert alike(framing.frame(angle), framing.frame(with_margin))


@pytest.mark.parametrize(
    "drawing",
    [
        np.zeros((10, 10), np.float32),
        np.zeros((10, 10), bool),
        np.zeros((10, 10), np.int64),
        np.zeros(10, np.uint8),
        np.zeros((2, 10, 10, 3), np.uint8),
        np.zeros((10, 10, 2), np.uint8),
        np.zeros((10, 10, 5), np.uint8),
        np.zeros((0, 10), np.uint8),
        np.zeros((10, 0, 3), np.uint8),
        np.array(0, np.uint8),
    ],
    ids=lambda drawing: f"{drawing.dtype} {drawing.shape}",
)
def test_what_is_no_drawing_is_refused(drawing):
    with pytest.raises(ValueError, match="a drawing"):
        framing.frame(drawing)


def valid(frame):
    return frame is None or (frame.shape == (28, 28) and frame.dtype == np.uint8 and frame.max() > 0)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 2), (2, 2), (3, 3), (1, 500), (500, 1), (2, 300), (3000, 20), (20, 3000)]
)
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
def test_extreme_shapes_are_no_trouble(shape, channels):
    for seed in range(3):
        random = np.random.default_rng(seed)
        assert valid(framing.frame(random.integers(0, 256, (*shape, *channels), np.uint8)))
        line = np.full((*shape, *channels), 255, np.uint8)
        line[shape[0] // 4 : shape[0] // 2 + 1, shape[1] // 4 : shape[1] // 2 + 1] = 0
        assert valid(framing.frame(line))


hostile = arrays.arrays(
    np.uint8,
    st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
        lambda size: st.sampled_from([size, (*size, 1), (*size, 3), (*size, 4)])
    ),
)


@settings(properties, max_examples=60)
@given(drawing=hostile)
def test_any_array_gives_a_frame_or_nothing(drawing):
    given_pixels = drawing.copy()
    assert valid(framing.frame(drawing))
    np.testing.assert_array_equal(drawing, given_pixels)


@settings(properties, max_examples=40)
@given(
    seed=st.integers(0, 9999), cell=st.integers(1, 40), share=st.floats(0.05, 0.95), noise=st.sampled_from([0, 4, 25])
)
def test_any_picture_gives_frames_or_nothing(seed, cell, share, noise):
    random = np.random.default_rng(seed)
    cells = random.random((128 // cell + 1, 200 // cell + 1, 1)) < share
    picture = 200 - 150.0 * np.repeat(np.repeat(cells, cell, 0), cell, 1) + random.normal(0, noise, (1, 1, 3))
    digits = framing.find(np.clip(picture + random.normal(0, noise, picture.shape), 0, 255).astype(np.uint8))
    assert len(digits) <= parts.MOST
    for digit in digits:
        assert valid(digit.frame)


def test_a_picture_of_hairlines_gives_frames_or_nothing():
    rows, columns = np.indices((200, 200))
    for gap in range(2, 9):
        for width in (1, 2):
            lined = np.where((rows % gap < width) | (columns % (gap + 2) < width), 60, 200).astype(np.uint8)
            noisy = lined + np.random.default_rng(gap).integers(0, 20, lined.shape, np.uint8)
            assert all(valid(digit.frame) for picture in (lined, noisy) for digit in framing.find(picture))


def test_a_view_is_as_good_as_a_copy():
    picture = np.dstack([draw(SHAPES[1])] * 3)
    flipped = picture[:, ::-1, ::-1]
    flipped.setflags(write=False)
    np.testing.assert_array_equal(framing.frame(flipped), framing.frame(picture[:, ::-1].copy()))


def test_a_frame_is_nearly_its_own_frame():
    for shape in SHAPES:
        frame = framing.frame(draw(shape))
        assert np.corrcoef(frame.ravel(), framing.frame(frame).ravel())[0, 1] > 0.93


def test_the_stroke_width_of_a_bar_is_its_width():
    for width in (2, 4, 8):
        bar = np.zeros((60, 200))
        bar[20 : 20 + width, 20:180] = 1
        assert framing.stroke_width(bar) == pytest.approx(width, rel=0.06)
    assert framing.stroke_width(np.zeros((5, 5))) == 0


def test_otsu_parts_two_heaps_in_the_middle():
    values = np.concatenate([np.full(500, 0.1), np.full(80, 0.9)]).reshape(1, 20, 29)
    assert framing.otsu(np.concatenate([values, values / 2])) == pytest.approx([0.5, 0.25], abs=0.01)


def test_a_large_picture_is_reduced_by_means():
    picture = np.zeros((600, 300, 3), np.uint8)
    picture[::3] = 255
    small = framing.reduced(picture)
    assert small.shape == (200, 100, 3)
    assert set(np.unique(small)) == {85}
    as_pillow = Image.fromarray(picture).reduce(3)
    np.testing.assert_array_equal(small, np.asarray(as_pillow))


def test_many_parts_of_which_each_is_small_are_dirt():
    picture = np.full((200, 200), 255, np.uint8)
    for top in range(4, 196, 22):
        for left in range(4, 196, 22):
            picture[top : top + 6, left : left + 6] = 0
    assert framing.frame(picture) is None


def test_a_few_single_pixels_far_apart_are_no_drawing():
    picture = np.full((250, 250), 255, np.uint8)
    picture[[3, 3, 245, 245], [3, 245, 3, 245]] = 0
    assert framing.frame(picture) is None


def mixed_drawings():
    """Drawings of several shapes and kinds, so that a stack holds specks, tight crops, dirt and nothing at all."""
    random = np.random.default_rng(5)
    dashes = [np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[0.6, 0.5], [0.6, 0.62]])]
    speck = draw([dashes[0], dashes[1] / 10])
    tight = draw(SHAPES[1])[28:130, 28:130]
    pictures = [draw(shape) for shape in SHAPES] + [draw(dashes), speck, 255 - draw(dashes), np.full_like(speck, 9)]
    pictures += list(random.integers(0, 256, (5, 28, 28), np.uint8)) + [tight] * 2 + pictures[:2]
    colours = [np.dstack([picture] * 3) for picture in pictures]
    with_alpha = [np.dstack([picture] * 3 + [255 - picture]) for picture in pictures]
    opaque = [np.dstack([picture] * 3 + [np.full_like(picture, 200)]) for picture in pictures]
    return [picture for kinds in zip(with_alpha, opaque, strict=True) for picture in kinds] + pictures + colours


def test_frames_are_the_frame_of_each():
    drawings = mixed_drawings()
    for together, drawing in zip(framing.frames(drawings), drawings, strict=True):
        alone = framing.frame(drawing)
        assert (together is None) == (alone is None)
        np.testing.assert_array_equal(together, alone)
    assert framing.frames([]) == []


def test_a_stack_has_one_shape_and_no_more_pixels_than_fit(monkeypatch):
    monkeypatch.setattr(framing, "AT_ONCE", 50)
    shapes = [(4, 5, 1)] * 5 + [(4, 5, 3)] + [(4, 5, 1)] + [(9, 9, 1)] * 2
    drawings = [np.full(shape, number) for number, shape in enumerate(shapes)]
    stacks = list(framing.stacks(drawings))
    assert [len(stack) for stack in stacks] == [2, 2, 1, 1, 1, 1, 1]
    assert [image.ravel()[0] for stack in stacks for image in stack] == list(range(9))


@pytest.mark.parametrize("tile", [10, 12, 20])
@pytest.mark.parametrize("written", [False, True])
def test_a_chessboard_is_no_line(tile, written):
    rows, columns = np.indices((300, 300)) // tile
    board = np.where((rows + columns) % 2, 255, 0).astype(np.uint8)
    if written:
        board[100:110, 100:200] = board[100:220, 190:200] = 128
    for digit in framing.find(board):
        assert digit.frame.shape == (28, 28)

"""Synthetic photographs, scans and screenshots of drawn digits, to measure how they are framed and read.

A picture is made as one is taken: strokes on paper, what else is on the sheet, where the sheet lies, the light, and the
camera. The scenarios are those that users of digit recognisers report. With `CHOOSING` `digits.drawing` was developed;
`MEASURING`, other scenarios with other people's digits, only measure.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from digits.drawing import strokes
from digits.drawing.strokes import Drawing

HEIGHT, WIDTH = 400, 300  # of a picture

WHITE, CREAM, YELLOW, GREEN = (245, 245, 243), (236, 226, 200), (250, 226, 110), (40, 75, 60)
BLACK, BLUE, GREY, CHALK = (25, 25, 28), (30, 45, 140), (120, 120, 122), (225, 228, 222)


@dataclass(frozen=True)
class Scene:
    """A picture in the making.

    Attributes:
        pixels: float64 `[H, W, 3]`, RGB, 0 to 255.
        opaque: float64 `[H, W]`, 0 to 1.
        box: left, top, right and bottom of the digit, in pixels.
        random: of everything that is drawn at random.
    """

    pixels: np.ndarray
    opaque: np.ndarray
    box: tuple[float, float, float, float]
    random: np.random.Generator


Step = Callable[[Scene], Scene]
Scenario = tuple["Page", tuple[Step, ...]]


def take(drawing: Drawing, scenario: Scenario, random: np.random.Generator) -> np.ndarray:
    """Returns a picture of the drawing, uint8 `[H, W, 3]` RGB or `[H, W, 4]` RGBA."""
    page, steps = scenario
    scene = page.written(drawing, random)
    for step in steps:
        scene = step(scene)
    pixels = np.clip(np.round(scene.pixels), 0, 255).astype(np.uint8)
    if (scene.opaque == 1).all():
        return pixels
    return np.dstack([pixels, np.round(255 * scene.opaque).astype(np.uint8)])


def pictures(
    scenarios: dict[str, Scenario], drawings: Sequence[Drawing], each: int, seed: int
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yields `each` pictures of every scenario: its name, the digit and the picture.

    Args:
        scenarios: name -> scenario.
        drawings: of digits; every picture takes the next one of the next class.
        each: pictures a scenario.
        seed: the same seed gives the same pictures.
    """
    labels = sorted({drawing.label for drawing in drawings if drawing.label is not None})
    by_class = [(label, [drawing for drawing in drawings if drawing.label == label]) for label in labels]
    for name, scenario in scenarios.items():
        random = np.random.default_rng([seed, *name.encode()])
        for number in range(each):
            label, choices = by_class[number % len(by_class)]
            yield name, label, take(choices[random.integers(len(choices))], scenario, random)


@dataclass(frozen=True)
class Page:
    """A sheet with a digit.

    Attributes:
        paper: RGB.
        ink: RGB.
        pen: width of the strokes, as a share of the digit's height.
        size: the digit's height, as a share of the sheet's; a wide digit is smaller.
        grain: standard deviation of the paper's texture.
        shape: height and width in pixels.
    """

    paper: tuple[int, int, int] = WHITE
    ink: tuple[int, int, int] = BLACK
    pen: float = 0.06
    size: float = 0.45
    grain: float = 1.5
    shape: tuple[int, int] = (HEIGHT, WIDTH)

    def written(self, drawing: Drawing, random: np.random.Generator) -> Scene:
        """Returns the sheet with the drawing near its middle."""
        height, width = self.shape
        points = np.concatenate(drawing.strokes)
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        tall = self.size * height * random.uniform(0.9, 1.1)
        scale = min(tall / max(extent[1], 1), 0.6 * width / max(extent[0], 1))
        room = np.array([width, height]) - scale * extent
        corner = room * random.uniform(0.42, 0.58, 2)
        moved = tuple((line - low) * scale + corner for line in drawing.strokes)
        pen = max(self.pen * tall * random.uniform(0.85, 1.15), 1.0)
        cover = 1 - strokes.render(Drawing(None, "", (width, height), pen, moved)) / 255
        grain = self.grain * ndimage.gaussian_filter(random.normal(0, 2, self.shape), 0.8)
        paper = np.array(self.paper, np.float64) + grain[..., None]
        pixels = paper + cover[..., None] * (np.array(self.ink) - paper)
        right, bottom = corner + scale * extent
        return Scene(pixels, np.ones(self.shape), (corner[0], corner[1], right, bottom), random)


# What else is on the sheet


def _drawn(scene: Scene, draw: Callable[[ImageDraw.ImageDraw], None], colour: Sequence[int]) -> Scene:
    """Draws on the sheet, with soft edges."""
    height, width = scene.opaque.shape
    mask = Image.new("L", (2 * width, 2 * height), 0)
    draw(ImageDraw.Draw(mask))
    cover = np.asarray(mask.reduce(2))[..., None] / 255
    return replace(scene, pixels=scene.pixels + cover * (np.array(colour) - scene.pixels))


def _double(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(2 * x, 2 * y) for x, y in points]


def lines(
    points: Callable[[Scene], list[list[tuple[float, float]]]], colour: Sequence[int], width: Callable[[Scene], float]
) -> Step:
    """Returns a step that draws lines, each through its points."""

    def step(scene: Scene) -> Scene:
        def draw(canvas: ImageDraw.ImageDraw) -> None:
            for line in points(scene):
                canvas.line(_double(line), fill=255, width=max(round(2 * width(scene)), 1), joint="curve")

        return _drawn(scene, draw, colour)

    return step


def _pixels(low: float, high: float) -> Callable[[Scene], float]:
    return lambda scene: scene.random.uniform(low, high)


def ruled(darkness: float, *, squared: bool = False) -> Step:
    """Returns a step that rules the sheet; `darkness` is the lines' distance from white."""

    def points(scene: Scene) -> list[list[tuple[float, float]]]:
        height, width = scene.opaque.shape
        gap, tilt = scene.random.uniform(25, 40), scene.random.uniform(-3, 3)
        rows = np.arange(scene.random.uniform(0, gap), height, gap)
        columns = np.arange(scene.random.uniform(0, gap), width if squared else 0, gap)
        return [[(0, y), (width, y + tilt)] for y in rows] + [[(x, 0), (x - tilt, height)] for x in columns]

    level = round(245 * (1 - darkness))
    return lines(points, (level, level + 8, min(level + 40, 255)), _pixels(0.8, 1.4))


def around(left: float | None, top: float | None, right: float | None, bottom: float | None, width: float) -> Step:
    """Returns a step that draws lines along edges of the picture.

    Args:
        left: the distance of the line from this edge, as a share of the picture's width; None draws none there.
        top: likewise; and so on.
        right: likewise.
        bottom: likewise.
        width: of the lines, in pixels.
    """

    def points(scene: Scene) -> list[list[tuple[float, float]]]:
        height, across = scene.opaque.shape
        x = [side for side in (left, right) if side is not None]
        inset = min(x + [side for side in (top, bottom) if side is not None]) * across
        edges = []
        if left is not None:
            edges.append([(left * across, inset), (left * across, height - inset)])
        if right is not None:
            edges.append([(across - right * across, inset), (across - right * across, height - inset)])
        if top is not None:
            edges.append([(inset, top * across), (across - inset, top * across)])
        if bottom is not None:
            edges.append([(inset, height - bottom * across), (across - inset, height - bottom * across)])
        return edges

    return lines(points, BLACK, _pixels(width, width))


def ring(scene: Scene) -> Scene:
    """Draws a circle by hand around the digit."""
    left, top, right, bottom = scene.box
    radius = 0.5 * np.hypot(right - left, bottom - top) * scene.random.uniform(1.15, 1.35)
    angles = np.linspace(0, 2.02 * np.pi, 60) + scene.random.uniform(0, 6)
    wobble = radius * (1 + 0.03 * np.sin(3 * angles + scene.random.uniform(0, 6)))
    curve = list(
        zip((left + right) / 2 + wobble * np.cos(angles), (top + bottom) / 2 + wobble * np.sin(angles), strict=True)
    )
    return lines(lambda _: [curve], BLACK, lambda _: 0.05 * (bottom - top))(scene)


def beneath(gap: float, overhang: float) -> Step:
    """Returns a step that draws a line under the digit.

    Args:
        gap: between digit and line, as a share of the digit's height.
        overhang: of the line on both sides, as a share of the digit's height.
    """

    def points(scene: Scene) -> list[list[tuple[float, float]]]:
        left, top, right, bottom = scene.box
        tall = bottom - top
        y, more, slope = bottom + gap * tall, overhang * tall, scene.random.uniform(-0.02, 0.02) * tall
        return [[(left - more, y - slope), (right + more, y + slope)]]

    return lines(points, BLACK, lambda scene: 0.05 * (scene.box[3] - scene.box[1]))


def beside(scene: Scene) -> Scene:
    """Draws a margin line, from top to bottom, beside the digit."""
    left, _, right, _ = scene.box
    height, width = scene.opaque.shape
    x = left / 2 if scene.random.random() < 0.5 else (right + width) / 2
    return lines(lambda _: [[(x, 0), (x + 2, height)]], (190, 60, 60), _pixels(1.5, 2.7))(scene)


def punched(scene: Scene) -> Scene:
    """Punches two holes at the left edge, through which something dark is seen."""
    height = scene.opaque.shape[0]

    def draw(canvas: ImageDraw.ImageDraw) -> None:
        for y in (0.3 * height, 0.7 * height):
            canvas.ellipse((2 * 8, 2 * (y - 9), 2 * 26, 2 * (y + 9)), fill=255)

    return _drawn(scene, draw, (60, 50, 45))


# Where the sheet lies


def _placed(scene: Scene, ground: np.ndarray, scale: float, degrees: float) -> Scene:
    """Lays the picture so far on a ground, smaller and turned."""
    height, width = scene.opaque.shape
    cos, sin = np.cos(np.radians(degrees)) / scale, np.sin(np.radians(degrees)) / scale
    matrix = np.array([[cos, -sin], [sin, cos]])
    middle = np.array([height - 1, width - 1]) / 2
    offset = middle - matrix @ middle
    layers = [*np.moveaxis(scene.pixels, -1, 0), scene.opaque]
    moved = [ndimage.affine_transform(layer, matrix, offset, order=1, cval=-1000) for layer in layers]
    inside = (moved[-1] >= 0)[..., None]
    pixels = np.where(inside & (moved[0] >= 0)[..., None], np.stack(moved[:3], axis=-1), ground)
    left, top, right, bottom = scene.box
    x, y = middle[1], middle[0]
    box = (x + (left - x) * scale, y + (top - y) * scale, x + (right - x) * scale, y + (bottom - y) * scale)
    return replace(scene, pixels=pixels, box=box)


def on_desk(share: float, colour: Sequence[int] = (92, 62, 42)) -> Step:
    """Returns a step that lays the sheet, turned a little, on a wooden desk; it fills `share` of the picture."""

    def step(scene: Scene) -> Scene:
        height, width = scene.opaque.shape
        rows = np.arange(height)[:, None] + 8 * np.sin(np.arange(width) / 40)
        veins = 9 * np.sin(rows / scene.random.uniform(3, 6)) + 5 * np.sin(rows / 1.6 + scene.random.uniform(0, 6))
        coarse = ndimage.gaussian_filter(scene.random.normal(0, 40, (height, width)), (1, 4))
        ground = np.array(colour, np.float64) * (1 + (veins + coarse)[..., None] / 90)
        return _placed(scene, ground, np.sqrt(share), scene.random.uniform(-9, 9))

    return step


def turned_scan(scene: Scene) -> Scene:
    """Turns the sheet on a scanner whose ground is black."""
    return _placed(scene, np.full_like(scene.pixels, 6), 1, scene.random.choice([-1, 1]) * scene.random.uniform(3, 7))


def barred(share: float, *, level: int = 0) -> Step:
    """Returns a step that adds bars at top and bottom, each this share of the picture's height."""

    def step(scene: Scene) -> Scene:
        bar = np.full((round(share * scene.opaque.shape[0]), *scene.pixels.shape[1:]), float(level))
        pixels = np.concatenate([bar, scene.pixels, bar])
        return replace(scene, pixels=pixels, opaque=np.ones(pixels.shape[:2]))

    return step


def cut_out(scene: Scene) -> Scene:
    """Turns the sheet and makes what is around it transparent."""
    turned = _placed(scene, np.full_like(scene.pixels, -1), 0.85, scene.random.uniform(-12, 12))
    inside = (turned.pixels >= 0).all(axis=-1)
    return replace(turned, pixels=np.maximum(turned.pixels, 0), opaque=np.asarray(inside, np.float64))


def window(scene: Scene) -> Scene:
    """Puts the picture into a window with round corners and a soft shadow on transparent ground."""
    edge, corner = 34, 10
    height, width = (side + 2 * edge for side in scene.opaque.shape)
    mask = Image.new("L", (width, height), 0)
    ImageDraw.Draw(mask).rounded_rectangle((edge, edge, width - edge - 1, height - edge - 1), corner, fill=255)
    inside = np.asarray(mask) / 255
    shadow = 0.5 * ndimage.shift(ndimage.gaussian_filter(inside, 10), (5, 0), order=0)
    pixels = np.zeros((height, width, 3))
    pixels[edge:-edge, edge:-edge] = scene.pixels
    return replace(scene, pixels=pixels * inside[..., None], opaque=np.asarray(np.maximum(inside, shadow)))


def in_program(scene: Scene) -> Scene:
    """Shows the picture in a drawing program, with a title bar and a palette."""
    pixels = np.full((HEIGHT, 540, 3), (200, 204, 214), np.float64)
    pixels[:20] = (60, 84, 140)
    for number in range(12):
        colour = np.array([(200, 30, 30), (20, 150, 40), (30, 60, 210), (255, 255, 255), (20, 20, 20)])[number % 5]
        pixels[27:38, 14 + 15 * number : 25 + 15 * number] = colour
    small = Image.fromarray(np.clip(scene.pixels, 0, 255).astype(np.uint8)).resize((255, 340))
    pixels[50:390, 20:275] = np.asarray(small)
    return replace(scene, pixels=pixels, opaque=np.ones(pixels.shape[:2]))


# Light


def _lit(scene: Scene, light: np.ndarray) -> Scene:
    return replace(scene, pixels=scene.pixels * light[..., None])


def _across(scene: Scene, degrees: float) -> np.ndarray:
    """Returns a slope from 0 to 1 over the picture, rising in a direction."""
    height, width = scene.opaque.shape
    rows, columns = np.mgrid[:height, :width]
    slope = np.cos(np.radians(degrees)) * columns + np.sin(np.radians(degrees)) * rows
    return np.asarray((slope - slope.min()) / np.ptp(slope))


def shadow(darkness: float, softness: float, *, place: tuple[float, float] = (0.4, 0.6)) -> Step:
    """Returns a step that darkens one side of a straight edge.

    Args:
        darkness: share of the light that the shadow takes.
        softness: width of the edge, as a share of the picture.
        place: of the edge, as shares of the picture: between these two.
    """

    def step(scene: Scene) -> Scene:
        slope = _across(scene, scene.random.uniform(0, 360))
        at = scene.random.uniform(*place)
        return _lit(scene, 1 - darkness * np.clip((slope - at) / max(softness, 0.004) + 0.5, 0, 1))

    return step


def falling_off(share: float) -> Step:
    """Returns a step in which the light falls off across the picture by this share."""
    return lambda scene: _lit(scene, 1 - share * _across(scene, scene.random.uniform(0, 360)))


def vignette(share: float) -> Step:
    """Returns a step that darkens the corners by this share."""

    def step(scene: Scene) -> Scene:
        height, width = scene.opaque.shape
        rows, columns = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
        return _lit(scene, 1 - share * np.clip((rows**2 + columns**2) / 2, 0, 1))

    return step


def lamp(scene: Scene) -> Scene:
    """Adds the round, bright spot of a lamp, as on a whiteboard."""
    height, width = scene.opaque.shape
    y, x = scene.random.uniform(0, height), scene.random.uniform(0, width)
    rows, columns = np.mgrid[:height, :width]
    spot = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 75**2))
    return replace(scene, pixels=scene.pixels * 0.7 + 70 * spot[..., None])


def finger(scene: Scene) -> Scene:
    """Covers a corner with a finger."""
    height, width = scene.opaque.shape
    x, y = scene.random.choice([0, width]), height

    def draw(canvas: ImageDraw.ImageDraw) -> None:
        canvas.ellipse((2 * (x - 63), 2 * (y - 87), 2 * (x + 63), 2 * (y + 40)), fill=255)

    return _drawn(scene, draw, (205, 150, 125))


def folded(scene: Scene) -> Scene:
    """Folds the sheet twice: each quarter gets its own brightness."""
    height, width = scene.opaque.shape
    quarters = scene.random.uniform(0.82, 1, (2, 2))
    light = np.repeat(np.repeat(quarters, -(-height // 2), 0), -(-width // 2), 1)[:height, :width]
    return _lit(scene, ndimage.gaussian_filter(light, 1.5))


def smeared(scene: Scene) -> Scene:
    """Leaves the traces of a sponge on a blackboard."""
    smear = ndimage.gaussian_filter(scene.random.normal(0, 1, scene.opaque.shape), (4, 17))
    return replace(scene, pixels=scene.pixels + 9 * (smear / smear.std())[..., None])


# Camera


def camera(noise: float = 2.5, blur: float = 0.6) -> Step:
    """Returns a step that blurs, and adds noise: standard deviations in pixels and in levels."""

    def step(scene: Scene) -> Scene:
        soft = ndimage.gaussian_filter(scene.pixels, (blur, blur, 0))
        return replace(scene, pixels=soft + scene.random.normal(0, noise, scene.pixels.shape))

    return step


CAMERA = camera()
BALLPOINT = Page(ink=BLUE, pen=0.022)
MARKER = Page(pen=0.09)

CHOOSING: dict[str, Scenario] = {
    "paper": (Page(), (CAMERA,)),
    "hard shadow": (Page(), (shadow(0.45, 0.02), CAMERA)),
    "vignette": (Page(CREAM), (vignette(0.5), CAMERA)),
    "sheet on a desk": (Page(ink=BLUE), (on_desk(0.6), CAMERA)),
    "bars": (Page(), (CAMERA, barred(0.25))),
    "cell": (Page(ink=BLUE), (around(0.02, 0.02, 0.02, 0.02, 9),)),
    "box": (Page(ink=BLUE), (around(0.1, 0.1, 0.1, 0.1, 2),)),
    "underlined": (Page(), (beneath(0.12, 0.1),)),
    "ring": (Page(size=0.35), (ring,)),
    "cut-out": (Page(YELLOW, BLUE), (cut_out,)),
    "lined paper": (BALLPOINT, (ruled(0.5), CAMERA)),
    "finger": (Page(), (finger, CAMERA)),
}

MEASURING: dict[str, Scenario] = {
    "ballpoint": (BALLPOINT, (camera(3, 0.8),)),
    "pencil": (Page(ink=GREY, pen=0.03), (CAMERA,)),
    "light shadow": (Page(), (shadow(0.3, 0.01), CAMERA)),
    "soft shadow": (MARKER, (shadow(0.5, 0.3, place=(0.6, 0.8)), CAMERA)),
    "light from a side": (Page(), (falling_off(0.65), CAMERA)),
    "dark corners": (BALLPOINT, (vignette(0.65), CAMERA)),
    "lamp": (MARKER, (lamp, CAMERA)),
    "folds": (Page(), (folded, CAMERA)),
    "sheet on a light desk": (Page(), (on_desk(0.7, (176, 140, 100)), shadow(0.25, 0.2), CAMERA)),
    "sticky note": (Page(YELLOW), (on_desk(0.35, (215, 210, 205)), CAMERA)),
    "turned scan": (Page(), (turned_scan, camera(1, 0.5))),
    "grey bars": (MARKER, (barred(0.12, level=40),)),
    "two sides of a cell": (Page(ink=BLUE), (around(0.015, 0.015, None, None, 8), CAMERA)),
    "one side of a cell": (Page(), (around(None, None, 0.03, None, 6),)),
    "thick box": (Page(size=0.4), (around(0.08, 0.16, 0.12, 0.1, 5), CAMERA)),
    "line beside": (Page(ink=BLUE), (beside, CAMERA)),
    "baseline": (Page(), (beneath(0.045, 0.35), CAMERA)),
    "window": (MARKER, (window,)),
    "drawing program": (MARKER, (in_program,)),
    "squared paper": (BALLPOINT, (ruled(0.35, squared=True), CAMERA)),
    "dark rules": (Page(pen=0.05), (ruled(0.8), CAMERA)),
    "punched": (Page(), (punched, CAMERA)),
    "blackboard": (Page(GREEN, CHALK), (smeared, vignette(0.4), CAMERA)),
    "thumb and shadow": (Page(ink=BLUE), (finger, shadow(0.35, 0.05), CAMERA)),
}

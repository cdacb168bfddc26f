"""The page as a person meets it: drawn on with mouse, finger and keys in a real Chromium."""

import base64
import json
import re
import shutil

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from apps import limits
from apps.demo import corrections
from digits.core import paths
from digits.drawing import framing
from digits.evaluation import photographs
from digits.serving import image_file
from tests.apps.conftest import Served, encoded, free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium (Debian: apt install chromium)"),
]

SLOW = 30_000  # milliseconds: a busy machine draws slowly
STYLES = ["round", "stick", "swan", "smooth", "triangle", "snake", "belly", "sharp", "figure", "stem"]  # of 0 to 9
NOTHING = "nothing drawn"
expect.set_options(timeout=SLOW)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, demo):
    """Opens the page: `visit(color_scheme="dark")`. At the end: nothing went wrong, and no other host was asked."""
    contexts, errors, hosts = [], [], set()

    def start(address=demo.address, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SLOW)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("filechooser", lambda _: None)  # from now on: `expect_file_chooser` begins too late for a quick press
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: hosts.add(re.match(r"(data|blob):|\w+://[^/]+", request.url)[0]))
        page.goto(address)
        page.locator("#sheet canvas").wait_for()
        return page

    yield start
    for context in contexts:
        context.close()
    assert hosts <= {demo.address, "data:", "blob:"}
    assert not errors


def draw(page, strokes, box, pen=18):
    """Draws with the mouse: the strokes fill `box`, left, top and the longer side, in the canvas's 280 pixels."""
    page.locator("#sheet input").fill(str(pen))
    for x, y, down in way(page, strokes, box):
        page.mouse.move(x, y)
        if down is not None:
            (page.mouse.down if down else page.mouse.up)()


def way(page, strokes, box):
    """Where to go on the screen, and whether the pen goes down there, or up (None: neither)."""
    sheet = page.locator("#sheet canvas").bounding_box()
    everything = np.concatenate(strokes)
    low, extent = everything.min(axis=0), np.ptp(everything, axis=0).max()
    left, top, size = box
    for stroke in strokes:
        points = (stroke - low) / extent * size + (left, top)
        points = points * sheet["width"] / 280 + (sheet["x"], sheet["y"])
        yield *points[0], True
        for point in points[3:-1:3]:
            yield *point, None
        yield *points[-1], None
        yield *points[-1], False


def answer(page):
    return page.locator("#answer .answer")


def settled(page):
    """Verdict and best class, when they no longer change."""
    found = None
    for _ in range(100):
        expect(answer(page)).not_to_have_attribute("data-verdict", NOTHING)
        page.wait_for_timeout(150)
        again = answer(page).get_attribute("data-verdict"), answer(page).get_attribute("data-best")
        if again == found:
            return found
        found = again
    raise AssertionError(f"still changing: {found}")


def clear(page):
    page.get_by_role("button", name="Clear").click()
    expect(answer(page)).to_have_attribute("data-verdict", NOTHING)


LINE = [np.array([[10.0, 0.0], [11.0, 40.0], [10.0, 70.0], [10.0, 100.0]])]


@pytest.mark.parametrize(
    ("box", "pen", "right"),
    [
        ((70, 50, 170), 18, 10),  # as most people draw
        ((8, 200, 60), 7, 9),  # small, in a corner
        ((20, 15, 240), 24, 9),  # as large as the sheet
        ((60, 40, 190), 40, 8),  # thick
        ((70, 50, 170), 4, 9),  # thin
    ],
)
def test_the_ten_digits_are_read(visit, alphabet, box, pen, right):
    page, found = visit(), []
    for digit, style in enumerate(STYLES):
        draw(page, alphabet[digit, style].strokes, box, pen)
        verdict, best = settled(page)
        found.append(best if verdict != "unknown" else None)
        clear(page)
    assert sum(best == str(digit) for digit, best in enumerate(found)) >= right, found


def test_the_first_stroke_is_not_lost_while_gradio_starts(visit):
    page = visit()
    # While its controls load, Gradio lays the invisible cover of one over the whole page, now and then.
    page.locator("[data-testid=status-tracker].hide").first.evaluate(
        "cover => { cover.classList.replace('hide', 'translucent'); cover.style = 'position: fixed; inset: 0'; }"
    )
    draw(page, LINE, (70, 50, 170))
    assert settled(page)[1] == "1"


def test_a_scribble_gets_no_sure_answer(visit):
    page = visit()
    # To and fro and across: no pen of a digit goes this way.
    turns = np.array(
        [[0, 0], [100, 20], [5, 35], [95, 50], [0, 70], [100, 80], [10, 100], [50, 0], [90, 100], [20, 10]]
    )
    corners = np.arange(len(turns))
    along = np.linspace(0, len(turns) - 1, 90)
    line = np.stack([np.interp(along, corners, turns[:, axis]) for axis in (0, 1)], axis=1)
    draw(page, [line], (40, 40, 200), 10)
    assert settled(page)[0] in ("unknown", "not sure")


def test_the_answer_comes_while_the_button_is_still_down(visit, alphabet):
    page = visit()
    *steps, _ = way(page, LINE, (130, 40, 200))
    for x, y, down in steps:
        page.mouse.move(x, y)
        if down:
            page.mouse.down()
    assert settled(page) == ("sure", "1")
    page.mouse.up()


def test_undo_takes_the_last_stroke_back_and_clear_all(visit):
    page = visit()
    draw(page, LINE, (130, 40, 200))
    assert settled(page) == ("sure", "1")
    draw(page, [stroke[:, ::-1] for stroke in LINE], (40, 135, 200))
    assert settled(page) != ("sure", "1")
    page.get_by_role("button", name="Undo").click()
    expect(answer(page)).to_have_attribute("data-best", "1")
    assert settled(page) == ("sure", "1")
    page.get_by_role("button", name="Undo").click()
    expect(answer(page)).to_have_text("nothing drawn")
    page.get_by_role("button", name="Undo").click()  # nothing to take back
    draw(page, LINE, (130, 40, 200))
    draw(page, LINE, (60, 40, 200))
    clear(page)
    expect(answer(page)).to_have_text("nothing drawn")


def test_what_is_drawn_on_after_undo_and_clear_is_gone(visit):
    page = visit()
    draw(page, LINE, (130, 40, 200))
    before = settled(page)
    sheet = page.locator("#sheet canvas").bounding_box()
    for undone in ("Control+z", "Clear"):
        page.mouse.move(sheet["x"] + 40, sheet["y"] + 40)
        page.mouse.down()
        page.mouse.move(sheet["x"] + 60, sheet["y"] + 200, steps=5)
        if undone == "Clear":  # by another finger
            page.locator("#sheet [data-do=clear]").dispatch_event("click")
        else:
            page.keyboard.press(undone)
        page.mouse.move(sheet["x"] + 250, sheet["y"] + 150, steps=5)
        page.mouse.up()
        if undone != "Clear":
            assert settled(page) == before
    expect(answer(page)).to_have_attribute("data-verdict", NOTHING)


def test_a_mistake_is_corrected_and_kept(visit, trained):
    page = visit()
    draw(page, LINE, (130, 40, 200))
    settled(page)
    page.get_by_text("Wrong? Say what it is").click()
    page.locator("#label").get_by_label("7", exact=True).check()
    page.get_by_role("button", name="Keep it as a test drawing").click()
    expect(page.locator("#saved")).to_contain_text("thank you")
    name = re.search(r"\w+\.png", page.locator("#saved").inner_text())[0]
    folder = trained / paths.DRAWN
    with Image.open(folder / name) as picture:
        assert picture.size == (280, 280)
    [entry] = map(json.loads, (folder / corrections.INDEX).read_text().splitlines())
    assert entry["file"] == name
    assert entry["label"] == "7"
    assert entry["answer"] == "1"
    assert len(entry["strokes"]) == 1
    page.locator("#label").get_by_label("none of these").check()
    page.get_by_role("button", name="Keep it as a test drawing").click()
    for _ in range(100):
        kept = [json.loads(line)["label"] for line in (folder / corrections.INDEX).read_text().splitlines()]
        if kept == ["7", None]:  # the later one holds
            break
        page.wait_for_timeout(100)
    assert kept == ["7", None]


def test_another_model_can_be_chosen(visit):
    page = visit()
    expect(page.locator("#facts")).not_to_contain_text("90.00%")
    draw(page, LINE, (130, 40, 200))
    assert settled(page) == ("sure", "1")
    for kind, text in [("8-bit integers", "90.00%"), ("Keras", "test images right")]:
        page.locator("#model input").click()
        page.get_by_role("option", name=re.compile(kind)).click()
        expect(page.locator("#facts")).to_contain_text(text)
        assert settled(page)[1] == "1"
    expect(page.locator("#facts")).not_to_contain_text("90.00%")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_and_is_drawn_on_with_a_finger(visit, scheme):
    phone = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True, "color_scheme": scheme}
    page = visit(**phone)
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    finger = page.context.new_cdp_session(page)
    for x, y, down in way(page, LINE, (130, 40, 200)):
        kind = {True: "touchStart", None: "touchMove", False: "touchEnd"}[down]
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert settled(page) == ("sure", "1")
    assert page.evaluate("scrollY") == 0  # the sheet was drawn on, not moved
    assert not page.evaluate(wide)
    page.get_by_text("Wrong? Say what it is").click()
    page.get_by_role("button", name="Keep it as a test drawing").wait_for()
    assert not page.evaluate(wide)


def contrast(first, second):
    """Of two CSS colours, 1 to 21 (https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio)."""

    def luminance(colour):
        values = np.array([float(value) for value in re.findall(r"[\d.]+", colour)[:3]]) / 255
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_ink_stand_out(visit, scheme):
    page = visit(color_scheme=scheme)
    draw(page, LINE, (130, 40, 200))
    settled(page)
    style = "(element, name) => getComputedStyle(element)[name]"
    paper = page.locator("#sheet canvas").evaluate(style, "backgroundColor")
    behind = page.locator("body").evaluate(style, "backgroundColor")
    assert (contrast(behind, "rgb(0, 0, 0)") < 3) == (scheme == "dark")
    pixel = "canvas => canvas.getContext('2d').getImageData(131, 140, 1, 1).data.join(', ')"
    assert contrast(page.locator("#sheet canvas").evaluate(pixel), paper) > 7
    for text in ("#answer .verdict strong", "#answer td >> nth=0", "#answer td >> nth=2", "#facts p", "#sheet label"):
        assert contrast(page.locator(text).first.evaluate(style, "color"), behind) > 4.5
    for button in page.locator("#sheet button").all():
        assert contrast(button.evaluate(style, "color"), button.evaluate(style, "backgroundColor")) > 4.5


def test_the_ink_follows_when_the_scheme_changes(visit):
    page = visit(color_scheme="light")
    draw(page, LINE, (130, 40, 200))
    assert settled(page) == ("sure", "1")
    pixel = "canvas => canvas.getContext('2d').getImageData(131, 140, 1, 1).data[0]"
    dark = page.locator("#sheet canvas").evaluate(pixel)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(500)
    assert page.locator("#sheet canvas").evaluate(pixel) > dark + 100
    assert settled(page) == ("sure", "1")


def test_the_keyboard_alone_is_enough(visit):
    page = visit()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "CANVAS":
            break
    page.keyboard.press("Space")
    for _ in range(24):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert settled(page) == ("sure", "1")
    page.keyboard.press("ArrowRight")  # with the pen lifted
    assert settled(page) == ("sure", "1")
    page.keyboard.press("Control+z")
    expect(answer(page)).to_have_attribute("data-verdict", NOTHING)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Undo"


def test_two_people_do_not_see_each_others_drawing(visit, alphabet):
    first, second = visit(), visit()
    draw(first, LINE, (130, 40, 200))
    expect(answer(first)).to_have_attribute("data-best", "1")
    assert answer(second).get_attribute("data-verdict") == NOTHING
    draw(second, alphabet[0, "round"].strokes, (70, 50, 170))
    assert settled(second) == ("sure", "0")
    assert settled(first) == ("sure", "1")
    clear(first)
    assert settled(second) == ("sure", "0")


def test_a_server_that_stops_is_told_and_used_again_when_it_is_back(browser, trained):
    port = free_port()
    served = Served("apps.demo", trained, port)
    page = browser.new_page()
    page.set_default_timeout(SLOW)
    try:
        page.goto(served.address)
        page.locator("#sheet canvas").wait_for()
        draw(page, LINE, (130, 40, 200))
        assert settled(page) == ("sure", "1")
        served.stop()
        draw(page, LINE, (60, 40, 200))
        expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
        with page.expect_event("load", timeout=60_000):  # by itself
            served = Served("apps.demo", trained, port)
        expect(answer(page)).to_have_attribute("data-verdict", NOTHING)
        draw(page, LINE, (130, 40, 200))
        assert settled(page) == ("sure", "1")
    finally:
        page.close()
        served.stop()


@pytest.fixture
def photo(alphabet, tmp_path):
    """A file with a photograph of a three on a sheet on a desk."""
    scenario = photographs.CHOOSING["sheet on a desk"]
    path = tmp_path / "three.jpg"
    picture = photographs.take(alphabet[3, "smooth"], scenario, np.random.default_rng(1))
    path.write_bytes(encoded(picture, "JPEG", quality=90))
    return path


def photographed(page):
    return page.locator("#photograph-answer .answer")


def choose(page, path):
    """Opens the photographs' tab, and chooses a file."""
    page.get_by_role("tab", name="Photograph").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files(path)


def around_the_ink(page):
    """How well the box fits the digit in the picture, 0 to 1, by the pixels that the browser shows."""
    picture, box = page.locator("#photograph-answer img").first.bounding_box(), page.locator(".box").bounding_box()
    shares = [(box["x"] - picture["x"]) / picture["width"], (box["y"] - picture["y"]) / picture["height"]]
    return [*shares, box["width"] / picture["width"], box["height"] / picture["height"]]


def test_a_photograph_is_read_and_its_steps_are_shown(visit, photo):
    page = visit()
    choose(page, photo)
    expect(photographed(page)).to_have_attribute("data-verdict", "sure")
    expect(photographed(page)).to_have_attribute("data-best", "3")
    assert page.locator("#photograph-answer img").count() == 3
    assert page.get_by_text("Camera").is_hidden()  # a phone has one
    loaded = "images => images.every((image) => image.complete && image.naturalWidth > 0)"
    assert page.locator("#photograph-answer img").evaluate_all(loaded)
    [digit] = framing.find(image_file.decode(photo.read_bytes()))
    left, top, right, bottom = digit.box
    assert around_the_ink(page) == pytest.approx([left, top, right - left, bottom - top], abs=0.02)
    assert page.locator("#photograph-answer tr").count() == 10


def test_each_of_several_digits_is_read(visit, line, tmp_path):
    page = visit()
    path = tmp_path / "line.png"
    path.write_bytes(encoded(line))
    choose(page, path)
    expect(photographed(page)).to_have_attribute("data-verdict", "several digits")
    expect(page.locator("#photograph-answer .verdict")).to_have_text("several digits: 1 7 3")
    assert page.locator(".box").all_inner_texts() == ["1", "2", "3"]
    page.locator("#photograph-answer summary").nth(1).press("Enter")
    expect(page.locator("#photograph-answer table").nth(1)).to_be_visible()
    expect(page.locator("#photograph-answer table").first).to_be_hidden()


def test_what_is_refused_is_told_and_the_next_is_read(visit, photo, tmp_path):
    page = visit()
    for content, reason in [
        (photo.read_bytes()[:400], "no readable image; PNG, JPEG, WEBP, BMP, GIF, TIFF are read"),
        (b"", "no readable image; PNG, JPEG, WEBP, BMP, GIF, TIFF are read"),
        (bytes(limits.BODY_BYTES + 1), "a file of over 8 MB; at most 8 MB are read"),
        (encoded(np.full((300, 300), 255, np.uint8)), "nothing drawn"),
    ]:
        path = tmp_path / "file.png"
        path.write_bytes(content)
        choose(page, path)
        expect(page.locator("#photograph-answer .verdict")).to_have_text(reason)
        choose(page, photo)
        expect(photographed(page)).to_have_attribute("data-best", "3")


def test_a_picture_is_pasted(visit, photo):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    copy = """async (content) => {
        const blob = new Blob([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], {type: "image/png"});
        await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);
    }"""
    png = encoded(image_file.decode(photo.read_bytes()))
    page.evaluate(copy, base64.b64encode(png).decode())
    page.keyboard.press("Control+v")  # on the canvas's tab: not for it
    page.get_by_role("tab", name="Photograph").click()
    expect(page.locator("#photograph")).to_be_visible()
    assert photographed(page).count() == 0
    page.keyboard.press("Control+v")
    expect(photographed(page)).to_have_attribute("data-best", "3")


# Beside the zone, too: the browser would leave the page for the picture.
@pytest.mark.parametrize("place", [".photograph", "#facts"])
def test_a_picture_is_dropped(visit, photo, place):
    page = visit()
    page.get_by_role("tab", name="Photograph").click()
    page.locator(".photograph").wait_for()
    carry = """(content) => {
        const dropped = new DataTransfer();
        dropped.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], "three.jpg"));
        return dropped;
    }"""
    files = page.evaluate_handle(carry, base64.b64encode(photo.read_bytes()).decode())
    page.locator(place).dispatch_event("dragover", {"dataTransfer": files})
    expect(page.locator(".photograph")).to_have_class(re.compile("target"))
    page.locator(place).dispatch_event("drop", {"dataTransfer": files})
    expect(page.locator(".photograph")).not_to_have_class(re.compile("target"))
    expect(photographed(page)).to_have_attribute("data-best", "3")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_a_camera_and_shows_all_of_a_photograph(visit, photo, scheme):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": scheme}
    page = visit(**phone)
    page.get_by_role("tab", name="Photograph").tap()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Camera").tap()
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files(photo)
    expect(photographed(page)).to_have_attribute("data-best", "3")
    verdict = page.locator("#photograph-answer .verdict").bounding_box()
    assert verdict["y"] + verdict["height"] < 844  # seen without scrolling
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    style = "(element, name) => getComputedStyle(element)[name]"
    behind = page.locator("body").evaluate(style, "backgroundColor")
    for text in (".photograph p >> nth=0", "#photograph-answer .verdict strong", "#photograph-answer p >> nth=1"):
        assert contrast(page.locator(text).evaluate(style, "color"), behind) > 4.5


def go_to(page, text):
    """Presses the tab key until a control with this text has the focus."""
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == text:
            return
    raise AssertionError(f"{text} is not reached")


def test_a_photograph_is_chosen_with_the_keyboard_alone(visit, photo):
    page = visit()
    go_to(page, "Photograph")
    page.keyboard.press("Enter")
    expect(page.locator(".photograph")).to_be_visible()
    go_to(page, "Choose a picture")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(photo)
    expect(photographed(page)).to_have_attribute("data-best", "3")


def test_a_drawing_stays_while_a_photograph_is_looked_at(visit, photo):
    page = visit()
    draw(page, LINE, (130, 40, 200))
    assert settled(page) == ("sure", "1")
    choose(page, photo)
    expect(photographed(page)).to_have_attribute("data-best", "3")
    page.locator("#model input").click()
    page.get_by_role("option", name=re.compile("8-bit integers")).click()
    expect(page.locator("#facts")).to_contain_text("90.00%")
    expect(photographed(page)).to_have_attribute("data-best", "3")
    page.get_by_role("tab", name="Draw").click()
    assert settled(page) == ("sure", "1")
    draw(page, LINE, (60, 40, 200))  # the canvas can still be drawn on
    expect(answer(page)).to_have_attribute("data-verdict", "several digits")


def test_a_photograph_leaves_nothing_on_the_disk_but_the_frame_that_is_kept(visit, photo, trained, temporary):
    page = visit()

    def files():
        return {path for folder in (trained, temporary) for path in folder.rglob("*") if path.is_file()}

    before = files()
    choose(page, photo)
    expect(photographed(page)).to_have_attribute("data-best", "3")
    assert files() == before
    page.get_by_text("Misread? Say what it is").click()
    page.locator("#photograph-label").get_by_label("5", exact=True).check()
    page.get_by_role("button", name="Keep the 28x28 pixels as a test drawing").click()
    expect(page.locator("#photograph-saved")).to_contain_text("thank you")
    name = re.search(r"\w+\.png", page.locator("#photograph-saved").inner_text())[0]
    with Image.open(trained / paths.DRAWN / name) as picture:
        assert picture.size == (28, 28)
    kept = {trained / paths.DRAWN / file for file in (name, corrections.INDEX, ".lock")}
    assert files() == before | kept


# Gradio would take files, and hand them out again.
def test_no_file_is_taken_or_handed_out(demo, trained):
    with httpx.Client(base_url=demo.address) as client:
        assert client.post("/gradio_api/upload", files={"files": ("x.html", b"x")}).status_code == 404
        for path in (trained / paths.ABOUT, "/etc/passwd", "http://127.0.0.1:1/"):
            assert client.get(f"/gradio_api/file={path}").status_code == 404
        assert client.get(f"/gradio_api/proxy={demo.address}").status_code == 404

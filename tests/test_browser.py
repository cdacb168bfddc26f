"""What a person opens in a browser, opened in a real one: Debian's Chromium, driven by Playwright."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.conftest import ROOT, free_port
from tests.tools.review.conftest import side
from tools import plots_page
from tools.review import text as report_text
from tools.review.figures import compared
from tools.review.pictures import pictures

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium (Debian: apt install chromium)"),
]

PROGRAMS = Path(sys.executable).parent
SLOW = 60_000  # milliseconds: a busy machine draws slowly


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(SLOW)
    yield page
    page.close()


def serve(command, folder):
    """Starts a server and returns it with the address that it prints."""
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in server.stdout:
        if found := re.search(r"http://localhost:\d+", line):
            return server, found[0]
    raise AssertionError(f"{command} ended with status {server.wait()}")


def stop(server):
    server.terminate()
    server.wait()
    server.stdout.close()


@pytest.fixture(scope="module")
def tensorboard(finished_project):
    server, address = serve([PROGRAMS / "tensorboard", "--logdir", "logs", "--port", "0"], finished_project)
    yield address
    stop(server)


@pytest.mark.parametrize(
    ("tab", "texts", "drawn"),
    [
        ("timeseries", ["epoch_accuracy", "epoch_cross_entropy", "epoch_learning_rate"], None),
        ("images", ["training images, as distorted", "mistakes"], "img"),
        ("graphs", ["Main Graph"], "g.node"),
        ("histograms", ["hidden", "logits"], "vz-histogram-timeseries svg"),
        ("hparams", ["batch_size", "optimizer.name", "validation.epoch_accuracy"], None),
    ],
)
def test_tensorboard_shows(tensorboard, page, tab, texts, drawn):
    page.goto(f"{tensorboard}/#{tab}")
    for text in texts:
        page.get_by_text(re.compile(re.escape(text))).first.wait_for(state="attached")
    if drawn:
        page.locator(drawn).first.wait_for()


@pytest.fixture(scope="module")
def netron(finished_project):
    command = [PROGRAMS / "netron", "--host", "localhost", "--port", str(free_port()), "models/model.keras"]
    server, address = serve(command, finished_project)
    yield address
    stop(server)


# Netron forbids `eval` to its page, and Playwright looks at a page by it.
KEEP_EVAL = "const kept = window.eval; Object.defineProperty(window, 'eval', {get: () => kept, set: () => {}});"


def test_netron_shows_the_layers(netron, page):
    page.context.add_cookies([{"name": "consent", "value": "1", "url": netron}])  # it would ask first
    page.add_init_script(KEEP_EVAL)
    page.goto(netron)
    for layer in ("pixels", "Rescaling", "AveragePooling2D", "Dense", "Softmax", "probabilities"):
        page.get_by_text(layer, exact=True).first.wait_for(state="attached")


@pytest.fixture
def offline(browser):
    """A page without a network, as wide as a common screen, and what it asked for in vain."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(SLOW)
    asked = []

    def answer(route):
        if route.request.url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    yield page, asked
    page.close()


@pytest.fixture
def committed(project):
    """The finished project as a git repository and DVC project, its outputs in a commit: DVC reads them from there."""
    shutil.copy(ROOT / "dvc.yaml", project)
    (project / "plots.html").write_text(plots_page.page())
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org"]
    for command in (
        ["git", "init", "--quiet"],
        [PROGRAMS / "dvc", "init", "--quiet"],
        [PROGRAMS / "dvc", "config", "plots.html_template", str(project / "plots.html")],
        ["git", "add", "--all", "--force"],
        [*git, "commit", "--quiet", "--message", "first"],
    ):
        subprocess.run(command, cwd=project, check=True)
    return project


def loaded(page):
    """Waits for the pictures of a page; returns where each stands: left, right, top."""
    page.wait_for_function("[...document.images].every(image => image.complete)")
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    return page.evaluate(
        "[...document.images].map(i => i.getBoundingClientRect()).map(box => [box.left, box.right, box.top])"
    )


def test_dvc_plots_show_needs_no_network(committed, offline):
    page, asked = offline
    subprocess.run([PROGRAMS / "dvc", "plots", "show", "--out", "page"], cwd=committed, check=True)
    page.goto(f"file://{committed}/page/index.html")
    for title in ("Loss over the epochs", "Confusion on the test split", "Accuracy against confidence"):
        page.get_by_text(title).first.wait_for()
    assert page.locator("canvas, svg.marks").count() >= 5
    assert len(loaded(page)) == 12
    assert asked == []


def test_dvc_plots_diff_shows_both_sides_beside_each_other_and_whole(committed, offline):
    page, asked = offline
    (committed / "plots/history.csv").write_text(
        (committed / "plots/history.csv").read_text() + "3,0.1,0.9,0.1,0.9,0\n"
    )
    subprocess.run([PROGRAMS / "dvc", "plots", "diff", "HEAD", "--out", "page"], cwd=committed, check=True)
    page.goto(f"file://{committed}/page/index.html")
    boxes = loaded(page)
    assert len(boxes) == 24
    assert all(0 <= left < right <= 1600 for left, right, _ in boxes), "none is cut off"
    assert all(abs(first[2] - second[2]) < 1 for first, second in zip(boxes[::2], boxes[1::2], strict=True))
    assert asked == []


def test_the_report_of_a_review_needs_no_network(tmp_path, offline):
    page, asked = offline
    base, this = (side(name, mistakes) for name, mistakes in (("main", range(12)), ("this folder", range(2))))
    report = tmp_path / "report.html"
    report.write_text(report_text.page(base, this, compared(base, this), pictures(base, this, None)), encoding="utf-8")
    page.goto(f"file://{report}")
    page.get_by_text("10 images gained, 0 lost").wait_for()
    assert len(loaded(page)) == 3
    assert asked == []

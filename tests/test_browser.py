"""What a person opens in a browser, opened in a real one: Debian's Chromium, driven by Playwright."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

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
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [PROGRAMS / "netron", "--host", "localhost", "--port", str(port), "models/model.keras"]
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

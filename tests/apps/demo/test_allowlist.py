import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from apps.demo.allowlist import MAX_BYTES, RouteAllowlist


@pytest.fixture
def client():
    return TestClient(RouteAllowlist(PlainTextResponse("inside")))


@pytest.mark.parametrize("path", ["/", "/config", "/theme.css", "/assets/index.js", "/gradio_api/heartbeat/abc"])
def test_what_the_page_asks_for_is_open(client, path):
    assert client.get(path).text == "inside"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload",
        "/gradio_api/upload/",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=http://example.org",
        "/gradio_api/run/predict",
        "/gradio_api/api/predict",
        "/gradio_api/call/predict",
        "/gradio_api/component_server",
        "/gradio_api/vibe-edit/",
        "/gradio_api/stream/x",
        "/monitoring",
        "/file=/etc/passwd",
        "/../etc/passwd",
    ],
)
def test_nothing_else_is(client, path):
    assert client.get(path).status_code == 404
    assert client.post(path, content=b"x").status_code == 404


def test_a_request_may_not_be_longer_than_a_drawing(client):
    path = "/gradio_api/queue/join"
    assert client.post(path, content=bytes(MAX_BYTES)).text == "inside"
    assert client.post(path, content=bytes(MAX_BYTES + 1)).status_code == 413
    assert client.post(path, content=iter([b"x"])).status_code == 411
    assert client.post(path, content=b"", headers={"Content-Length": "-1"}).status_code == 411

import base64

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from apps import limits
from apps.demo.allowlist import RouteAllowlist


@pytest.fixture
def client():
    return TestClient(RouteAllowlist(PlainTextResponse("inside")), base_url="http://127.0.0.1:7860")


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


def test_a_photograph_as_large_as_the_service_takes_fits_into_a_request():
    assert len(base64.b64encode(bytes(limits.BODY_BYTES + 1))) + limits.MB // 4 <= limits.PAGE_BODY_BYTES


def test_a_request_may_not_be_longer_than_a_photograph(client):
    path = "/gradio_api/queue/join"
    assert client.post(path, content=bytes(limits.PAGE_BODY_BYTES)).text == "inside"
    assert client.post(path, content=bytes(limits.PAGE_BODY_BYTES + 1)).status_code == 413
    assert client.post(path, content=iter([b"x"])).status_code == 411
    assert client.post(path, content=b"", headers={"Content-Length": "-1"}).status_code == 411


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "127.0.0.1", "localhost:7860", "LOCALHOST"])
def test_this_machine_has_these_names(client, host):
    assert client.get("/", headers={"Host": host}).text == "inside"


# A web site whose name leads to this machine (DNS rebinding) could read what the page answers.
@pytest.mark.parametrize(
    "host", ["example.org", "example.org:7860", "127.0.0.1.example.org", "", "[", "0.0.0.0", "x@y"]
)
def test_under_another_name_nothing_is_answered(client, host):
    response = client.get("/", headers={"Host": host})
    assert response.status_code == 400
    assert "http://127.0.0.1" in response.text


@pytest.mark.parametrize(
    "origin", ["http://example.org", "null", "https://127.0.0.1:7860", "http://127.0.0.1:8000", ""]
)
def test_another_web_site_cannot_send_anything(client, origin):
    assert client.post("/gradio_api/queue/join", content=b"x", headers={"Origin": origin}).status_code == 403
    assert client.get("/config", headers={"Origin": origin}).status_code == 403


def test_the_page_itself_can(client):
    headers = {"Origin": "http://127.0.0.1:7860"}
    assert client.post("/gradio_api/queue/join", content=b"x", headers=headers).text == "inside"

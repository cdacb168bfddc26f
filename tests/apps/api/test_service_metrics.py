import asyncio
import re

import pytest

from apps.api.service_metrics import MetricsMiddleware, ServiceMetrics
from tests.apps.conftest import encoded


def value(text, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def test_requests_and_answers_are_counted(client, three):
    for _ in range(3):
        client.post("/predict", content=encoded(three), headers={"Content-Type": "image/png"})
    client.post("/predict", content=b"", headers={"Content-Type": "image/png"})
    client.get("/health")
    text = client.get("/metrics").text
    assert value(text, 'requests_total{path="/predict",status="200"}') == 3
    assert value(text, 'requests_total{path="/predict",status="422"}') == 1
    assert value(text, 'requests_total{path="/health",status="200"}') == 1
    assert value(text, 'answers_total{verdict="sure"}') == 3
    assert value(text, 'request_seconds_count{path="/predict"}') == 4
    assert value(text, "batch_images_count") == 3
    assert value(text, "batch_images_sum") == 3


def test_the_figures_are_in_prometheus_text_format(client):
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE requests_total counter" in response.text


# Anybody could fill the memory with addresses that do not exist.
def test_an_unknown_path_gets_no_line_of_its_own(client):
    for number in range(20):
        client.get(f"/secret{number}")
    client.get("/static/swagger-ui.css")
    text = client.get("/metrics").text
    assert "secret" not in text
    assert value(text, 'requests_total{path="other",status="404"}') == 20
    assert value(text, 'requests_total{path="other",status="200"}') == 1


def test_two_services_in_one_process_count_apart(serve):
    first, second = serve(), serve()
    first.get("/health")
    assert value(first.get("/metrics").text, 'requests_total{path="/health",status="200"}') == 1
    assert value(second.get("/metrics").text, 'requests_total{path="/health",status="200"}') is None


def test_a_failure_is_counted_as_one_and_passed_on():
    async def broken(scope, receive, send):
        raise RuntimeError("broken")

    metrics = ServiceMetrics()
    with pytest.raises(RuntimeError):
        asyncio.run(MetricsMiddleware(broken, metrics, ["/a"])({"type": "http", "path": "/a"}, None, None))
    assert value(metrics.text().decode(), 'requests_total{path="/a",status="500"}') == 1


def test_what_is_no_request_is_not_counted():
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope["type"])

    metrics = ServiceMetrics()
    asyncio.run(MetricsMiddleware(inner, metrics, [])({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
    assert "requests_total{" not in metrics.text().decode()

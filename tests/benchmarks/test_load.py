import argparse
import asyncio
import json
import os
from pathlib import Path

import numpy as np
import psutil
import pytest
from aiohttp import web

from benchmarks import load
from digits.serving import image_file
from tests.apps.conftest import free_port
from tests.conftest import ROOT


def test_json_bodies_are_light_ink_on_black(monkeypatch):
    monkeypatch.chdir(ROOT)
    kind, bodies = load.bodies("json")
    assert kind == "application/json"
    assert len(set(bodies)) == len(bodies) == load.DISTINCT
    for body in bodies:
        image = np.array(json.loads(body))
        assert image.shape == (28, 28)
        assert image.min() >= 0
        assert 30 < image.max() <= 255
        assert image.mean() < 128


def test_png_bodies_are_drawings_as_they_were_made(monkeypatch):
    monkeypatch.chdir(ROOT)
    kind, bodies = load.bodies("png")
    assert kind == "image/png"
    assert len(set(bodies)) == len(bodies) == load.DISTINCT
    for body in bodies:
        image = image_file.decode(body)
        assert min(image.shape) > 100
        assert image.mean() > 128


@pytest.fixture
def measured(monkeypatch):
    """Measures a service that refuses each third request, in this process: `measured(connections=4)`."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(load, "WARM_UP", 0.1)
    monkeypatch.setattr(load, "PAUSE", 0.1)
    seen = []

    async def predict(request):
        seen.append((request.headers["Content-Type"], await request.read()))
        return web.Response(status=503 if len(seen) % 3 == 0 else 200)

    async def health(request):
        await asyncio.sleep(0.02)
        return web.Response()

    async def run(arguments):
        service = web.Application()
        service.router.add_post("/predict", predict)
        service.router.add_get("/health", health)
        runner = web.AppRunner(service)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", arguments.port).start()
        try:
            return await load.measure(arguments, psutil.Process(os.getpid()))
        finally:
            await runner.cleanup()

    def start(**options):
        arguments = argparse.Namespace(**{"kind": "json", "hostile": 0, "port": free_port(), "seconds": 0.5, **options})
        return asyncio.run(run(arguments)), seen

    return start


def test_the_figures_fit_together(measured):
    figures, seen = measured(connections=4)
    assert figures["connections"] == 4
    assert 0 < figures["requests"] < len(seen)  # some warmed it up
    assert figures["failed"] >= figures["requests"] // 3 - 4
    assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["longest_ms"]
    assert figures["requests_per_second"] > 0
    assert figures["memory_mb_first_tenth"] > 0
    assert figures["memory_mb_most"] >= figures["memory_mb_last_tenth"] > 0
    assert figures["health_longest_ms"] >= 20
    assert "hostile" not in figures
    assert {kind for kind, _ in seen} == {"application/json"}
    assert len({body for _, body in seen}) > 1


def test_hostile_requests_are_sent_among_the_others_and_counted_apart(measured, monkeypatch):
    few = {"large": ("image/png", b"large"), "none": ("image/gif", b"")}
    monkeypatch.setattr(load.attacks, "requests", lambda: few)
    monkeypatch.setattr(load.attacks, "CONNECTIONS", {"silence": bytes})
    figures, seen = measured(connections=4, hostile=10)
    sent = [kind for kind, _ in seen if kind != "application/json"]
    assert len(sent) == pytest.approx(len(seen) / 19, abs=2)  # of 20, one is never finished
    assert set(figures["hostile"]) <= {"large", "none", "silence"}
    assert set(figures["hostile"]["large"]) <= {"200", "503"}
    assert figures["requests"] + sum(sum(each.values()) for each in figures["hostile"].values()) < 1.2 * len(seen)


def test_where_it_writes():
    assert Path("benchmarks/load") == load.RESULTS

"""Figures about the service itself, for Prometheus."""

import time
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Measures:
    """The figures of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("requests", "Requests by path and status", ["path", "status"], registry=self.registry)
        self.seconds = Histogram("request_seconds", "Seconds to an answer", ["path"], registry=self.registry)
        self.batches = Histogram(
            "batch_images", "Images in a call of the network", buckets=(1, 2, 4, 8, 16, 32, 64), registry=self.registry
        )
        self.answers = Counter("answers", "Answers by verdict", ["verdict"], registry=self.registry)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)


class Measured:
    """Wraps an application: counts and times its answers.

    Args:
        app: the application.
        measures: where to.
        paths: those that get a line of their own; one for each address that is tried would pile up.
    """

    def __init__(self, app: ASGIApp, measures: Measures, paths: Collection[str]) -> None:
        self.app, self.measures, self.paths = app, measures, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            path = scope["path"] if scope["path"] in self.paths else "other"
            self.measures.requests.labels(path, status).inc()
            self.measures.seconds.labels(path).observe(time.perf_counter() - started)

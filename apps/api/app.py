"""The HTTP service: its routes and their handlers."""

import asyncio
from pathlib import Path

import numpy as np
import swagger_ui_bundle
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST

from apps.api import schema
from apps.api.batching import Batcher
from apps.api.limits import RateLimit, body
from apps.api.reading import MAX_BATCH, drawings
from apps.api.request_errors import RequestError, as_json
from apps.api.service_metrics import MetricsMiddleware, ServiceMetrics
from digits.core.errors import UserError
from digits.drawing import framing
from digits.serving import image_file
from digits.serving.predictor import Predictor

MAX_QUEUE = 4096  # images that may wait
SMALL_BODY = 8 * 1024  # bytes decoded in the event loop; larger bodies are decoded in a thread, so that others go on
DECODERS = 2  # such threads at a time; a large photo takes 100 MB


def create(predictor: Predictor, *, rate: float) -> FastAPI:
    """The application with its routes.

    Args:
        predictor: the model.
        rate: requests a second allowed to each client.
    """
    app = FastAPI(title="Digits", description=schema.DESCRIPTION, version="1", docs_url=None, redoc_url=None)
    app.openapi_version = "3.0.3"  # what the bundled Swagger UI reads
    metrics = ServiceMetrics()
    app.add_middleware(MetricsMiddleware, metrics=metrics, paths=schema.PATHS)
    service = Service(predictor, metrics, rate)
    app.post("/predict", openapi_extra=schema.PREDICT_BODY, responses=schema.PREDICT_RESPONSES)(service.predict)
    app.get("/health", responses=schema.HEALTH_RESPONSES)(service.health)
    app.get("/metrics", response_class=Response, responses=schema.METRICS_RESPONSES)(service.metrics)
    app.get("/", include_in_schema=False)(service.page)
    app.mount("/static", StaticFiles(directory=Path(swagger_ui_bundle.swagger_ui_path)))
    return app


class Service:
    """The handlers of the routes; the first lines of their docstrings are shown on the OpenAPI page.

    Args:
        predictor: the model.
        metrics: counters that `/metrics` shows.
        rate: requests a second allowed to each client.
    """

    def __init__(self, predictor: Predictor, metrics: ServiceMetrics, rate: float) -> None:
        self._predictor, self._metrics, self._limit = predictor, metrics, RateLimit(rate)
        observe = metrics.batches.observe
        self._batcher = Batcher(predictor.answers, largest=MAX_BATCH, longest=MAX_QUEUE, observe=observe)
        self._decoding = asyncio.Semaphore(DECODERS)

    async def predict(self, request: Request) -> Response:
        """Classifies one image or several; one answer per image, in their order."""
        try:
            answers = await self._batcher(await self._frames(request))
        except RequestError as error:
            return error.response()
        except UserError as error:
            return RequestError(422, str(error)).response()
        for answer in answers:
            self._metrics.answers.labels(answer.verdict).inc()
        return as_json({"model": self._predictor.digest, "predictions": [answer.as_dict() for answer in answers]})

    async def health(self) -> Response:
        """Reports that the service is up, and which model it runs."""
        about = self._predictor.about
        facts = {"recipe": about.recipe, "dataset": about.dataset, "test_accuracy": self._predictor.test_accuracy[0]}
        return as_json({"status": "ok", "model": self._predictor.digest, **facts})

    async def metrics(self) -> Response:
        """Counters and latencies for Prometheus."""
        return Response(self._metrics.text(), media_type=CONTENT_TYPE_LATEST)

    async def page(self) -> HTMLResponse:
        """The Swagger UI page, from the bundled files."""
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title="Digits",
            swagger_js_url="static/swagger-ui-bundle.js",
            swagger_css_url="static/swagger-ui.css",
            swagger_favicon_url="static/favicon-32x32.png",
        )

    async def _frames(self, request: Request) -> list[np.ndarray | None]:
        self._limit.take(request.client.host if request.client else "")
        content = await body(request, image_file.MAX_BYTES)
        content_type = request.headers.get("content-type", "")
        if content_type.startswith("application/json") or len(content) <= SMALL_BODY:
            return frames(content_type, content)
        async with self._decoding:
            return await asyncio.to_thread(frames, content_type, content)


def frames(content_type: str, content: bytes) -> list[np.ndarray | None]:
    """The drawings in a request body, framed for the network."""
    return [framing.frame(drawing) for drawing in drawings(content_type, content)]

"""The HTTP service: its routes and their handlers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import swagger_ui_bundle
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware.cors import CORSMiddleware

from apps import limits
from apps.api import reading, schema
from apps.api.batching import Batcher
from apps.api.rate_limit import RateLimit
from apps.api.request_body import Bodies
from apps.api.request_errors import RequestError, as_json, invalid_query
from apps.api.service_metrics import MetricsMiddleware, ServiceMetrics
from apps.api.workers import Workers
from digits.drawing.framing import Digit, in_reading_order
from digits.serving.predictor import Answer, Predictor, answers, frames_to_read


def create(predictor: Predictor, *, rate: float = limits.RATE, origins: Sequence[str] = ()) -> FastAPI:
    """The application with its routes.

    Args:
        predictor: the model.
        rate: requests a second allowed to each client.
        origins: the web sites whose pages may read the answers (CORS), as `https://example.org`; `*` for any.
    """
    metrics = ServiceMetrics()
    service = Service(predictor, metrics, rate)
    app = FastAPI(
        title="Digits",
        description=schema.DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=service.workers.lifespan,
    )
    app.openapi_version = "3.0.3"  # what the bundled Swagger UI reads
    if origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["content-type"]
        )
    app.add_middleware(MetricsMiddleware, metrics=metrics, paths=schema.PATHS)
    app.exception_handler(RequestValidationError)(invalid_query)
    app.post("/predict", openapi_extra=schema.PREDICT_BODY, responses=schema.PREDICT_RESPONSES)(service.predict)
    app.get("/health", responses=schema.HEALTH_RESPONSES)(service.health)
    app.get("/metrics", response_class=Response, responses=schema.METRICS_RESPONSES)(service.metrics)
    app.get("/", include_in_schema=False)(service.page)
    for path, handler in (("/health", service.health), ("/metrics", service.metrics), ("/", service.page)):
        app.head(path, include_in_schema=False)(handler)
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
        self._predictor, self._metrics = predictor, metrics
        about = predictor.about
        facts = {"recipe": about.recipe, "dataset": about.dataset, "test_accuracy": predictor.test_accuracy[0]}
        self._health = {"status": "ok", "model": predictor.digest, **facts}
        self._limit, self._bodies, self.workers = RateLimit(rate), Bodies(), Workers()
        self._batcher = Batcher(
            predictor.answers, largest=limits.IMAGES, longest=limits.FRAMES_WAITING, observe=metrics.batches.observe
        )

    async def predict(
        self, request: Request, each: Annotated[bool, Query(description=schema.EACH)] = False
    ) -> Response:
        """Classifies one image or several: an answer for each, in their order; with `each` one for each digit in it."""
        try:
            pictures = await self._digits(request)
            predictions = await (self._each(pictures) if each else self._whole(pictures))
        except RequestError as error:
            return error.response()
        return as_json({"model": self._predictor.digest, "predictions": predictions})

    async def health(self) -> Response:
        """Reports that the service is up, and which model it runs."""
        return as_json(self._health)

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

    async def _whole(self, pictures: list[list[Digit]]) -> list[dict[str, Any]]:
        """An answer for each picture."""
        return [answer.as_dict() for answer in await self._read(pictures)]

    async def _each(self, pictures: list[list[Digit]]) -> list[dict[str, Any]]:
        """For each picture an answer for each digit, in reading order."""
        ordered = [in_reading_order(digits) for digits in pictures]
        following = iter(await self._read([[digit] for digits in ordered for digit in digits]))
        return [{"digits": [next(following).as_dict() for _ in digits]} for digits in ordered]

    async def _read(self, pictures: list[list[Digit]]) -> list[Answer]:
        """The answer to each picture."""
        read = answers(pictures, await self._batcher(frames_to_read(pictures)))
        for answer in read:
            self._metrics.answers.labels(answer.verdict).inc()
        return read

    async def _digits(self, request: Request) -> list[list[Digit]]:
        """The digits in each picture that was sent."""
        self._limit.take(request.client.host if request.client else "")
        content_type = request.headers.get("content-type", "")
        kind = reading.media_type(content_type)
        if not kind:
            raise RequestError(415, "unsupported content type; send image/*, multipart/form-data or application/json")
        most = limits.JSON_BYTES if kind == reading.JSON else limits.BODY_BYTES
        async with self._bodies.read(request, most) as content:
            return await self.workers.digits(content_type, content)

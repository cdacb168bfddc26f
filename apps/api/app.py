"""The HTTP service: what it answers and how it refuses."""

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
from apps.api.measuring import Measured, Measures
from apps.api.reading import LARGEST_BATCH, drawings
from apps.api.refusals import RefusedError, as_json
from digits.core.errors import UserError
from digits.drawing import framing
from digits.serving import image_file
from digits.serving.predictor import Predictor

LONGEST_QUEUE = 4096  # images that may wait
SMALL = 8 * 1024  # bytes that are read at once; what is longer is read in a thread, not to keep others waiting
DECODERS = 2  # bodies with image files that are read at a time, in threads; a large photo takes 100 MB


def create(predictor: Predictor, *, rate: float) -> FastAPI:
    """The application.

    Args:
        predictor: answers.
        rate: requests a second that each client may send.
    """
    app = FastAPI(title="Digits", description=schema.DESCRIPTION, version="1", docs_url=None, redoc_url=None)
    app.openapi_version = "3.0.3"  # what the bundled Swagger UI reads
    measures = Measures()
    app.add_middleware(Measured, measures=measures, paths=schema.PATHS)
    batch = Batcher(predictor.answers, largest=LARGEST_BATCH, longest=LONGEST_QUEUE, observe=measures.batches.observe)
    limit, decoding = RateLimit(rate), asyncio.Semaphore(DECODERS)

    @app.post("/predict", openapi_extra=schema.PREDICT_BODY, responses=schema.PREDICT_RESPONSES)
    async def predict(request: Request) -> Response:
        """Which digits are these? One image or several; an answer for each, in their order."""
        try:
            limit.take(request.client.host if request.client else "")
            content = await body(request, image_file.MAX_BYTES)
            kind = request.headers.get("content-type", "")
            if kind.startswith("application/json") or len(content) <= SMALL:
                shown = frames(kind, content)
            else:
                async with decoding:
                    shown = await asyncio.to_thread(frames, kind, content)
            found = await batch(shown)
        except RefusedError as error:
            return error.response()
        except UserError as error:
            return RefusedError(422, str(error)).response()
        for answer in found:
            measures.answers.labels(answer.verdict).inc()
        return as_json({"model": predictor.digest, "predictions": [answer.as_dict() for answer in found]})

    @app.get("/health", responses=schema.HEALTH_RESPONSES)
    async def health() -> Response:
        """Whether the service answers, and which model it runs."""
        about = predictor.about
        facts = {"recipe": about.recipe, "dataset": about.dataset, "test_accuracy": about.test["accuracy"]}
        return as_json({"status": "ok", "model": predictor.digest, **facts})

    @app.get("/metrics", response_class=Response, responses=schema.METRICS_RESPONSES)
    async def metrics() -> Response:
        """Counters and times for Prometheus."""
        return Response(measures.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/", include_in_schema=False)
    async def page() -> HTMLResponse:
        """The interface, described and to be tried."""
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title="Digits",
            swagger_js_url="static/swagger-ui-bundle.js",
            swagger_css_url="static/swagger-ui.css",
            swagger_favicon_url="static/favicon-32x32.png",
        )

    app.mount("/static", StaticFiles(directory=Path(swagger_ui_bundle.swagger_ui_path)))
    return app


def frames(content_type: str, content: bytes) -> list[np.ndarray | None]:
    """What the network is to see of the drawings in a body."""
    return [framing.frame(drawing) for drawing in drawings(content_type, content)]

"""The routes of Gradio that are open: those that the page itself requests."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ROUTES = {
    "/",
    "/config",
    "/theme.css",
    "/favicon.ico",
    "/robots.txt",
    "/gradio_api/startup-events",
    "/gradio_api/app_id",
}
PREFIXES = ("/assets/", "/static/", "/svelte/", "/gradio_api/heartbeat/", "/gradio_api/queue/")
MAX_BYTES = 4 * 2**20  # of a request body; the longest drawing that is accepted has fewer


class RouteAllowlist:
    """ASGI middleware that rejects uploads, downloads, proxying and all other routes that the page does not need.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        rejected = rejection(scope) if scope["type"] == "http" else None
        await (rejected or self.app)(scope, receive, send)


def rejection(scope: Scope) -> PlainTextResponse | None:
    """The error response to a request that is not allowed; None for one that is."""
    path = scope["path"]
    if path not in ROUTES and not path.startswith(PREFIXES):
        return PlainTextResponse("Not found", 404)
    length = dict(scope["headers"]).get(b"content-length", b"0" if scope["method"] in ("GET", "HEAD") else b"")
    if not length.isdigit():
        return PlainTextResponse("Content-Length required", 411)
    if int(length) > MAX_BYTES:
        return PlainTextResponse("Request body too large", 413)
    return None

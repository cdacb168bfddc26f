"""Which of Gradio's addresses are open: those that the page itself asks for."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = {"/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/gradio_api/startup-events", "/gradio_api/app_id"}
OPEN_BELOW = ("/assets/", "/static/", "/svelte/", "/gradio_api/heartbeat/", "/gradio_api/queue/")
LARGEST = 4 * 2**20  # bytes of a request; the longest drawing that is read has less


class Doors:
    """Wraps Gradio's application: no files are taken or handed out, nothing is fetched for others.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        refusal = refused(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)


def refused(scope: Scope) -> PlainTextResponse | None:
    """The answer to a request that goes no further."""
    path = scope["path"]
    if path not in OPEN and not path.startswith(OPEN_BELOW):
        return PlainTextResponse("not found", 404)
    length = dict(scope["headers"]).get(b"content-length", b"0" if scope["method"] in ("GET", "HEAD") else b"")
    if not length.isdigit():
        return PlainTextResponse("how long is it?", 411)
    if int(length) > LARGEST:
        return PlainTextResponse("too long", 413)
    return None

"""Which requests reach Gradio: those of the page itself, from this machine's own address."""

from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from apps import limits

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


class RouteAllowlist:
    """ASGI middleware that rejects what the page does not need.

    That is: uploads, downloads, proxying and all other routes; other web sites' requests, by `Origin`; and those that
    reach this machine under another name, by `Host`, because its owner's web site could then read the answers (DNS
    rebinding).

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
    headers, path = dict(scope["headers"]), scope["path"]
    host = headers.get(b"host", b"").decode("latin-1")
    if _name(f"//{host}") not in limits.PAGE_HOSTS:
        return PlainTextResponse(f"Invalid Host; open http://{limits.PAGE_HOSTS[0]} with the port of the page", 400)
    if b"origin" in headers and headers[b"origin"].decode("latin-1") != f"http://{host}":
        return PlainTextResponse("Requests of other web sites are not answered", 403)
    if path not in ROUTES and not path.startswith(PREFIXES):
        return PlainTextResponse("Not found", 404)
    length = headers.get(b"content-length", b"0" if scope["method"] in ("GET", "HEAD") else b"")
    if not length.isdigit():
        return PlainTextResponse("Content-Length required", 411)
    if int(length) > limits.PAGE_BODY_BYTES:
        return PlainTextResponse("Request body too large", 413)
    return None


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # no address at all
        return None

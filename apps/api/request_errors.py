"""HTTP error responses, and JSON responses in general."""

from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response


class RequestError(Exception):
    """A request that is answered with an HTTP error.

    Args:
        status: the HTTP status code.
        reason: one line for the client.
        retry_after: seconds after which the client may try again.
    """

    def __init__(self, status: int, reason: str, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.status, self.retry_after = status, retry_after

    def response(self) -> Response:
        """The HTTP response."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return as_json({"detail": str(self)}, self.status, headers)


async def invalid_query(_: Request, error: RequestValidationError) -> Response:
    """The response to a query parameter of a wrong type, in one line; FastAPI's own is a list of objects."""
    reasons = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return RequestError(422, "; ".join(reasons)).response()


def as_json(content: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response with a JSON object."""
    return Response(orjson.dumps(content), status, headers, "application/json")

"""Reads the bodies of requests, within limits on each and on all together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from apps import limits
from apps.api.request_errors import RequestError


class Bodies:
    """The bodies that are in memory."""

    def __init__(self) -> None:
        self.buffered = 0

    @asynccontextmanager
    async def read(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """Reads the body of a request; it counts as in memory until the block ends.

        Args:
            request: the request.
            most: maximum bytes.

        Raises:
            RequestError: it is longer, by its Content-Length or in fact, the client disconnects, or other bodies fill
                the memory. Small ones are always read: as many as there may be connections fit.
        """
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > most:
            raise _too_large(most)
        content = bytearray()
        try:
            async for part in request.stream():
                content += part
                self.buffered += len(part)
                if len(content) > most:
                    raise _too_large(most)
                if len(content) > limits.SMALL_BYTES and self.buffered > limits.BUFFERED_BYTES:
                    raise RequestError(503, "too many large requests at once; try again", retry_after=1)
            yield bytes(content)
        except ClientDisconnect as error:
            raise RequestError(400, "client disconnected") from error  # for the metrics
        finally:
            self.buffered -= len(content)


def _too_large(most: int) -> RequestError:
    size = f"{most // limits.MB} MB" if most >= limits.MB else f"{most // 1024} kB"
    return RequestError(413, f"request body too large: at most {size}")

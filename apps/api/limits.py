"""Limits on the size and the rate of requests."""

import math
import time
from collections import OrderedDict

from starlette.requests import ClientDisconnect, Request

from apps.api.request_errors import RequestError

CLIENTS = 10_000  # with a bucket, at most; the least recently seen is dropped first


async def body(request: Request, largest: int) -> bytes:
    """Reads the body of a request, at most `largest` bytes of it.

    Raises:
        RequestError: it is longer, by its Content-Length or in fact, or the client disconnects.
    """
    too_large = RequestError(413, f"request body too large: at most {largest // 2**20} MB")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > largest:
        raise too_large
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > largest:
                raise too_large
    except ClientDisconnect as error:
        raise RequestError(400, "client disconnected") from error  # for the metrics
    return bytes(content)


class RateLimit:
    """Token bucket per client: full at first, refilled at a constant rate, one token a request.

    Args:
        rate: tokens a second, and the size of a bucket.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Takes a token.

        Raises:
            RequestError: the client's bucket is empty.
        """
        now = time.monotonic()
        tokens, last = self._buckets.pop(client, (self.rate, now))
        tokens = min(self.rate, tokens + (now - last) * self.rate)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise RequestError(429, "too many requests", retry_after=math.ceil((1 - tokens) / self.rate))

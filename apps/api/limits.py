"""How much one client may ask for."""

import math
import time
from collections import OrderedDict

from starlette.requests import ClientDisconnect, Request

from apps.api.refusals import RefusedError

CLIENTS = 10_000  # remembered at most; the one that was silent longest is forgotten first


async def body(request: Request, largest: int) -> bytes:
    """The body of a request, read no further than `largest` bytes.

    Raises:
        RefusedError: it is longer, or says that it is, or breaks off.
    """
    too_large = RefusedError(413, f"at most {largest // 2**20} MB a request")
    said = request.headers.get("content-length", "0")
    if said.isdecimal() and int(said) > largest:
        raise too_large
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > largest:
                raise too_large
    except ClientDisconnect as error:
        raise RefusedError(400, "the client has gone") from error  # for the counters; nobody reads it
    return bytes(content)


class RateLimit:
    """A bucket of tokens for each client: full at first, refilled steadily, one token a request.

    Args:
        rate: requests a second and client, also the most at once.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Takes a token.

        Raises:
            RefusedError: the client's bucket is empty.
        """
        now = time.monotonic()
        tokens, then = self._buckets.pop(client, (self.rate, now))
        tokens = min(self.rate, tokens + (now - then) * self.rate)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise RefusedError(429, "too many requests", retry_after=math.ceil((1 - tokens) / self.rate))

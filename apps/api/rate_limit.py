"""Limits the rate of requests of each client."""

import math
import time
from collections import OrderedDict

from apps import limits
from apps.api.request_errors import RequestError


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
        if len(self._buckets) > limits.CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise RequestError(429, "too many requests", retry_after=math.ceil((1 - tokens) / self.rate))

"""Limits on connections, which uvicorn does not have: their number, the size of headers, and the time of everything."""

import asyncio
from enum import Enum, auto
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from apps import limits

CHECK_SECONDS = 1.0  # between two looks at the deadline: cheaper than a timer for each request


class Stage(Enum):
    """What a connection waits for."""

    IDLE = auto()
    HEADER = auto()
    BODY = auto()
    ANSWER = auto()


SECONDS = {
    Stage.IDLE: limits.IDLE_SECONDS,
    Stage.HEADER: limits.HEADER_SECONDS,
    Stage.BODY: limits.BODY_SECONDS,
    Stage.ANSWER: limits.ANSWER_SECONDS,
}


class LimitedConnection(HttpToolsProtocol):
    """A connection to the service, closed when a client sends too much or too slowly.

    Beyond `limits.CONNECTIONS` the one that has waited longest for a request is closed, as nginx does it: silent
    connections cannot keep clients out.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._refusal: tuple[int, str] | None = None  # instead of 400 for what the parser refuses
        self._received = 0  # bytes since the request began
        self._check: asyncio.TimerHandle | None = None
        self._enter(Stage.IDLE)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Makes room for it, and begins to look at its deadline."""
        super().connection_made(transport)
        if len(self.connections) > limits.CONNECTIONS:
            self._make_room()
        self._check = self.loop.call_later(CHECK_SECONDS, self._check_deadline)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the looks at its deadline."""
        if self._check:
            self._check.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what came, within the limits on its size."""
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._stage is Stage.HEADER and self._received > limits.HEADER_BYTES:
            self._refuse(431, "Request header too large")
        elif self._received > limits.HEADER_BYTES + limits.DISCARDED_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._received = 0
        self._enter(Stage.HEADER)

    def on_headers_complete(self) -> None:
        """Its header is complete."""
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > limits.HEADER_BYTES:
            self._refusal = 431, "Request header too large"
            raise ValueError  # which the parser turns into its own error, and `data_received` into an answer
        super().on_headers_complete()
        self._enter(Stage.BODY)

    def on_message_complete(self) -> None:
        """It is complete."""
        super().on_message_complete()
        self._enter(Stage.IDLE if self.cycle.response_complete else Stage.ANSWER)

    def on_response_complete(self) -> None:
        """It is answered; its body may still come, if it was refused."""
        if self._stage is Stage.ANSWER:
            self._enter(Stage.ANSWER if self.pipeline else Stage.IDLE)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what the parser refuses."""
        self._refuse(*(self._refusal or (400, msg)))

    def _enter(self, stage: Stage) -> None:
        self._stage, self._since = stage, self.loop.time()
        if stage is Stage.IDLE:
            self._received = 0

    def _check_deadline(self) -> None:
        self._check = self.loop.call_later(CHECK_SECONDS, self._check_deadline)
        if self.loop.time() < self._since + SECONDS[self._stage]:
            return
        if self._stage in (Stage.HEADER, Stage.BODY) and not self.transport.is_closing():
            self._refuse(408, f"Request {self._stage.name.lower()} too slow")
        else:
            self.transport.abort()

    @property
    def _owes_another_answer(self) -> bool:
        """Whether an earlier request has no answer yet, or the answer to this one has begun."""
        if self.cycle is None or self.cycle.response_complete:
            return False
        return self.cycle.response_started or self._stage is not Stage.BODY

    def _refuse(self, status: int, reason: str) -> None:
        if self._owes_another_answer:  # this one would be taken for it, or be in the middle of it
            self.transport.abort()
            return
        head = f"content-type: text/plain\r\ncontent-length: {len(reason)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + (head + reason).encode())
        self.transport.close()

    def _make_room(self) -> None:
        """Closes the connection that has waited for a request for the longest time, or else this one."""
        connections = cast(set[LimitedConnection], self.connections)
        silent = (each for each in connections if each is not self and each._stage in (Stage.IDLE, Stage.HEADER))
        closed = min(silent, key=lambda connection: connection._since, default=self)
        closed.transport.abort()
        connections.discard(closed)

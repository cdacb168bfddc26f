"""Dynamic batching: one call of the network for requests that arrive while it is busy."""

import asyncio
from collections.abc import Callable

import numpy as np

from apps.api.request_errors import RequestError
from digits.serving.predictor import Answer

Answers = Callable[[list[np.ndarray]], list[Answer]]


class Batcher:
    """Queues frames while the network is busy, and never waits for a batch to fill.

    Args:
        answers: called in a thread, with at most `largest` frames.
        largest: maximum frames per batch.
        longest: maximum frames in the queue.
        observe: called with the size of each batch.
    """

    def __init__(self, answers: Answers, *, largest: int, longest: int, observe: Callable[[float], None]) -> None:
        self._answers, self._largest, self._longest, self._observe = answers, largest, longest, observe
        self._queue: list[tuple[np.ndarray, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, frames: list[np.ndarray]) -> list[Answer]:
        """The answers to frames, uint8 `[28, 28]`.

        Raises:
            RequestError: the queue is full.
        """
        if len(self._queue) + len(frames) > self._longest:
            raise RequestError(503, "queue full; try again", retry_after=1)
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Answer]] = [loop.create_future() for _ in frames]
        self._queue += zip(frames, futures, strict=True)
        if self._running is None:
            self._running = loop.create_task(self._run())
        return list(await asyncio.gather(*futures))

    async def _run(self) -> None:
        while self._queue:
            batch, self._queue = self._queue[: self._largest], self._queue[self._largest :]
            self._observe(len(batch))
            try:
                answers = await asyncio.to_thread(self._answers, [frame for frame, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in zip(batch, answers, strict=True):
                    if not future.done():  # else the client has disconnected
                        future.set_result(answer)
        self._running = None

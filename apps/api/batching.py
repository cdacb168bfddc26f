"""Requests that come at the same time are answered by one call of the network."""

import asyncio
from collections.abc import Callable

import numpy as np

from apps.api.refusals import RefusedError
from digits.serving.predictor import Answer

Answers = Callable[[list[np.ndarray | None]], list[Answer]]


class Batcher:
    """Gathers what waits while the network is busy; nothing waits for a batch to fill.

    Args:
        answers: called in a thread, with at most `largest` frames.
        largest: frames of one call.
        longest: frames that may wait; above it a request is refused.
        observe: is told the size of each batch.
    """

    def __init__(self, answers: Answers, *, largest: int, longest: int, observe: Callable[[float], None]) -> None:
        self._answers, self._largest, self._longest, self._observe = answers, largest, longest, observe
        self._waiting: list[tuple[np.ndarray | None, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, frames: list[np.ndarray | None]) -> list[Answer]:
        """The answers to frames that `digits.drawing.framing.frame` made.

        Raises:
            RefusedError: too many frames wait already.
        """
        if len(self._waiting) + len(frames) > self._longest:
            raise RefusedError(503, "too many requests wait; try again", retry_after=1)
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Answer]] = [loop.create_future() for _ in frames]
        self._waiting += zip(frames, futures, strict=True)
        if self._running is None:
            self._running = loop.create_task(self._run())
        return list(await asyncio.gather(*futures))

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            self._observe(len(batch))
            try:
                found = await asyncio.to_thread(self._answers, [frame for frame, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in zip(batch, found, strict=True):
                    if not future.done():  # the client has gone
                        future.set_result(answer)
        self._running = None

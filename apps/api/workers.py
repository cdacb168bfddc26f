"""Decodes and frames in worker processes: nothing that a client sends can hold up the event loop."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

from apps import limits
from apps.api import decoding, reading
from apps.api.decoding import Reply, Request
from apps.api.request_errors import RequestError
from apps.steps import Steps
from digits.drawing.framing import Digit

ROOT = Path(__file__).parents[2]
BUSY = "too many requests wait; try again"
PIPELINED = 4  # requests that are sent to a worker, so that it need not wait for the event loop between them
RESTART_SECONDS = 1.0  # between two starts


class Workers:
    """The worker processes of `apps.api.decoding`: some for small requests, some for large ones."""

    command = (sys.executable, "-m", decoding.__name__)

    @asynccontextmanager
    async def lifespan(self, _: object) -> AsyncIterator[None]:
        """Keeps them running while an application runs."""
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def start(self) -> None:
        """Starts them; requests may be sent at once."""
        count = limits.SMALL_WORKERS + limits.LARGE_WORKERS
        with ExitStack() as opened:  # and closed again, should something be short
            pairs = [tuple(map(opened.enter_context, socket.socketpair())) for _ in range(count)]
            self._process = self._start_process([str(other.fileno()) for _, other in pairs])
            channels = []
            for ours, other in pairs:
                other.close()
                channels.append(await Channel.opened(ours, self._lost))
                opened.callback(channels[-1].close)
            opened.pop_all()
        self._small = Pool(channels[: limits.SMALL_WORKERS], most=limits.SMALL_WAITING, depth=PIPELINED)
        self._large = Pool(channels[limits.SMALL_WORKERS :], most=limits.LARGE_WAITING, depth=1)
        self._restarting: asyncio.Task[None] | None = None

    def _start_process(self, theirs: list[str]) -> subprocess.Popen[bytes]:
        command = [*self.command, *theirs[: limits.SMALL_WORKERS], "-", *theirs[limits.SMALL_WORKERS :]]
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        # One thread of BLAS: the process forks.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.Popen(  # noqa: S603  # our own module
            command,
            env=environment,
            pass_fds=list(map(int, theirs)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            process_group=0,
        )

    async def stop(self) -> None:
        """Ends them."""
        if self._restarting:
            self._restarting.cancel()
        self._end()

    async def digits(self, content_type: str, content: bytes) -> list[list[Digit]]:
        """The digits in each image of a request body: see `reading.drawings`.

        Raises:
            RequestError: they are refused, take too long, or too many requests wait.
        """
        return decoding.unpack(await self._payload(Request(content_type, content)))

    async def steps(self, content: bytes) -> Steps:
        """The steps of an image file, with the digits in it.

        Raises:
            RequestError: as in `digits`.
        """
        return decoding.unpack_steps(await self._payload(Request(reading.FILE, content, with_steps=True)))

    async def _payload(self, request: Request) -> bytes:
        kind, payload = Reply.LARGE, b""
        if len(request.content) <= limits.SMALL_BYTES:
            kind, payload = await self._ask(self._small, request)
        if kind in (Reply.LARGE, Reply.KILLED):
            kind, payload = await self._ask(self._large, request)
        if kind in (Reply.DIGITS, Reply.STEPS):
            return payload
        if kind == Reply.REFUSED:
            raise RequestError(422, payload.decode())
        if kind == Reply.FAILED:
            raise RequestError(500, "internal error")
        raise RequestError(422, "the images take too long to decode; send smaller or simpler ones")

    async def _ask(self, pool: "Pool", request: Request) -> tuple[Reply, bytes]:
        try:
            async with asyncio.timeout(limits.WORKER_WAIT_SECONDS):
                return await pool.ask(request)
        except TimeoutError as error:
            if pool.stuck:
                self._lost()
            raise RequestError(503, BUSY, retry_after=1) from error

    def _lost(self) -> None:
        """Starts all anew, because one does not answer."""
        if self._restarting is None:
            self._restarting = asyncio.get_running_loop().create_task(self._restart())

    async def _restart(self) -> None:
        self._end()
        while self._restarting:  # until `start` has done all
            await asyncio.sleep(RESTART_SECONDS)
            try:
                await self.start()
            except OSError:  # no memory, process or descriptor just now
                self._kill()

    def _end(self) -> None:
        for channel in (*self._small.channels, *self._large.channels):
            channel.close()
        self._kill()

    def _kill(self) -> None:
        if self._process.returncode is None:  # else its number may be another's by now
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Pool:
    """Workers of one kind.

    Args:
        channels: one for each.
        most: maximum requests that wait for them, beyond those that they work on.
        depth: how many requests are sent to each at a time.
    """

    def __init__(self, channels: list["Channel"], most: int, depth: int) -> None:
        self.channels, self._most = channels, most + len(channels)
        self._asked = 0
        self._slots = asyncio.Semaphore(len(channels) * depth)

    @property
    def stuck(self) -> bool:
        """Whether a worker has not answered for too long."""
        return any(channel.silent_seconds > limits.STUCK_SECONDS for channel in self.channels)

    async def ask(self, request: Request) -> tuple[Reply, bytes]:
        """Has the worker with the fewest requests answer.

        Raises:
            RequestError: too many requests wait.
        """
        if self._asked >= self._most:
            raise RequestError(503, BUSY, retry_after=1)
        self._asked += 1
        try:
            async with self._slots:
                channel = min(self.channels, key=lambda each: len(each.waiting))
                return await channel.ask(request)
        finally:
            self._asked -= 1


class Channel:
    """The socket to one worker, which answers requests in their order.

    Args:
        reader: from the worker.
        writer: to it.
        lost: called when the worker is gone.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: Callable[[], None]) -> None:
        self.waiting: deque[asyncio.Future[tuple[Reply, bytes]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._reader, self._writer, self._lost = reader, writer, lost
        self._last = self._loop.time()  # when the worker was last seen idle, or answered
        self._receiving = self._loop.create_task(self._receive())

    @classmethod
    async def opened(cls, connection: socket.socket, lost: Callable[[], None]) -> "Channel":
        """The channel over a socket."""
        return cls(*await asyncio.open_unix_connection(sock=connection), lost)

    @property
    def silent_seconds(self) -> float:
        """How long requests have waited without any reply."""
        return self._loop.time() - self._last if self.waiting else 0.0

    async def ask(self, request: Request) -> tuple[Reply, bytes]:
        """The worker's reply to a request.

        Raises:
            RequestError: the socket is closed, or is closed meanwhile.
        """
        if self._writer.is_closing():
            raise RequestError(503, BUSY, retry_after=1)
        if not self.waiting:
            self._last = self._loop.time()
        future: asyncio.Future[tuple[Reply, bytes]] = self._loop.create_future()
        self.waiting.append(future)
        self._writer.write(request.packed())
        return await future

    def close(self) -> None:
        """Refuses what waits, and closes the socket: the worker ends."""
        self._receiving.cancel()
        self._writer.close()
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                future.set_exception(RequestError(503, BUSY, retry_after=1))

    async def _receive(self) -> None:
        try:
            while True:
                kind, length = decoding.REPLY.unpack(await self._reader.readexactly(decoding.REPLY.size))
                payload = await self._reader.readexactly(length)
                self._last = self._loop.time()
                future = self.waiting.popleft()
                if not future.done():  # else the client has disconnected
                    future.set_result((Reply(kind), payload))
        except (asyncio.IncompleteReadError, OSError):
            self._lost()

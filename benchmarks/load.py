"""Load test of the HTTP service: throughput, latency, and memory over time.

    make load                                        # starts a service, sends requests for 30 seconds
    python -m benchmarks.load --seconds 600 --kind png
    make load LOAD="--hostile 1 --kind png"          # among them 1 % that are made to hurt (benchmarks/hostile.py)

Client and service share the machine's cores. Writes `benchmarks/load/<kind>.json`, or `<kind>-hostile.json`.
"""

import argparse
import asyncio
import gc
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil
from PIL import Image

from benchmarks import hostile as attacks
from benchmarks import machine
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.drawing import strokes
from digits.serving.image_file import encode_png

RESULTS = Path("benchmarks/load")
DISTINCT = 64  # bodies, sent in turn
PAUSE = 1.0  # seconds between two measurements of the memory,
HEALTH_PAUSE = 0.05  # and between two requests of /health
WARM_UP = 3.0  # seconds that do not count
MAX_ANSWER = 1000  # bytes


def main() -> None:
    """Prints and writes the metrics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--kind", choices=("json", "png"), default="json", help="28x28 pixels, or a drawing as a file")
    parser.add_argument("--hostile", type=float, default=0, metavar="PERCENT", help="of the requests; default: none")
    parser.add_argument("--port", type=int, default=8765)
    arguments = parser.parse_args()
    if not 0 <= arguments.hostile <= 50 or arguments.seconds < PAUSE or arguments.connections < 1:
        raise UserError("--hostile is a percentage up to 50; --seconds and --connections are 1 or more")
    command = [sys.executable, "-m", "apps.api", "--port", str(arguments.port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:  # noqa: S603  # our own module
        try:
            if not service.stdout or not service.stdout.readline():
                raise UserError("the service did not start")
            metrics = asyncio.run(measure(arguments, psutil.Process(service.pid)))
        finally:
            service.terminate()
    for name, value in metrics.items():
        print(f"{name:24} {value}")
    name = f"{arguments.kind}-hostile" if arguments.hostile else arguments.kind
    files.write_json(RESULTS / f"{name}.json", {"machine": machine.describe(), **metrics})


async def measure(arguments: argparse.Namespace, service: psutil.Process) -> dict[str, Any]:
    """Keeps all connections busy, and samples the memory and the answers of `/health`."""
    address = f"http://127.0.0.1:{arguments.port}"
    connector = aiohttp.TCPConnector(limit=arguments.connections + 1)  # one for /health
    async with aiohttp.ClientSession(connector=connector) as session:
        gc.collect()
        gc.freeze()  # so that the client's garbage collection does not count as latency
        load = Load(session, address, arguments.kind, arguments.hostile)
        await load.run(arguments.connections, WARM_UP)
        load.forget()
        async with asyncio.TaskGroup() as group:
            memory = group.create_task(sampled(lambda: megabytes(service), arguments.seconds))
            health = group.create_task(sampled_health(session, address, arguments.seconds))
            group.create_task(load.run(arguments.connections, arguments.seconds))
    milliseconds = np.array(load.seconds) * 1000
    tenth = max(1, len(memory.result()) // 10)
    figures = {
        "requests_per_second": len(load.seconds) / arguments.seconds,
        "requests": len(load.seconds),
        "failed": load.failed,
        "p50_ms": float(np.percentile(milliseconds, 50)),
        "p99_ms": float(np.percentile(milliseconds, 99)),
        "longest_ms": float(milliseconds.max()),
        "health_longest_ms": max(health.result()) * 1000,
        "connections": arguments.connections,
        "memory_mb_first_tenth": statistics.median(memory.result()[:tenth]),
        "memory_mb_last_tenth": statistics.median(memory.result()[-tenth:]),
        "memory_mb_most": max(memory.result()),
    }
    return figures | ({"hostile_percent": arguments.hostile, "hostile": load.hostile} if arguments.hostile else {})


class Load:
    """Sends requests one after the other over each of several connections, and logs their answers.

    Args:
        session: the client.
        address: of the service.
        kind: of the honest requests, as `bodies` knows them.
        hostile: how many percent of the requests are `benchmarks.hostile`'s. Half of these are sent over connections
            of their own, as `hostile.CONNECTIONS` says, and never finished.

    Attributes:
        seconds: of each honest request.
        failed: how many of them were not answered with 200.
        hostile: how often each answer, or none, was given to a hostile request.
    """

    def __init__(self, session: aiohttp.ClientSession, address: str, kind: str, hostile: float) -> None:
        self._session, self._address, self._honest = session, address, bodies(kind)
        self._every = round(100 / hostile) if hostile else 0
        self._requests = itertools.cycle(attacks.requests().items()) if hostile else iter(())
        self._unfinished = itertools.cycle(attacks.CONNECTIONS.items())
        self._open: set[asyncio.Task[None]] = set()
        self._sent = 0
        self.forget()

    def forget(self) -> None:
        """Empties the log."""
        self.seconds: list[float] = []
        self.failed = 0
        self.hostile: dict[str, dict[str, int]] = {}

    async def run(self, connections: int, seconds: float) -> None:
        """Keeps the connections busy for some seconds."""
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._send_until(end) for _ in range(connections)))
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _send_until(self, end: float) -> None:
        while time.monotonic() < end:
            self._sent += 1
            number = self._sent
            if not self._every or number % self._every:
                await self._send_honest(number)
            elif number // self._every % 2:
                name, request = next(self._requests)
                self._log(name, await self._status(*request))
            else:
                task = asyncio.create_task(self._leave_unfinished(*next(self._unfinished)))
                self._open.add(task)
                task.add_done_callback(self._open.discard)

    async def _send_honest(self, number: int) -> None:
        kind, content = self._honest
        started = time.perf_counter()
        status = await self._status(kind, content[number % len(content)])
        self.seconds.append(time.perf_counter() - started)
        self.failed += status != "200"

    async def _status(self, kind: str, content: bytes) -> str:
        try:
            async with self._session.post(
                f"{self._address}/predict", data=content, headers={"Content-Type": kind}
            ) as response:
                await response.read()
                return str(response.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return type(error).__name__

    async def _leave_unfinished(self, name: str, content: Callable[[], bytes]) -> None:
        host, port = self._address.removeprefix("http://").split(":")
        answer = b""
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(content())
                answer = await reader.read(MAX_ANSWER)
            finally:
                writer.close()
        self._log(name, answer[9:12].decode() or "closed")

    def _log(self, name: str, answer: str) -> None:
        answers = self.hostile.setdefault(name, {})
        answers[answer] = answers.get(answer, 0) + 1


async def sampled(measure: Callable[[], float], seconds: float) -> list[float]:
    """A figure, measured again and again."""
    figures = [measure()]
    for _ in range(int(seconds / PAUSE)):
        await asyncio.sleep(PAUSE)
        figures.append(measure())
    return figures


async def sampled_health(session: aiohttp.ClientSession, address: str, seconds: float) -> list[float]:
    """The seconds that `/health` took, asked many times a second."""
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        async with session.get(f"{address}/health") as response:
            await response.read()
        took.append(time.perf_counter() - started)
        await asyncio.sleep(HEALTH_PAUSE)
    return took


def megabytes(service: psutil.Process) -> float:
    """The memory of the service and its workers; what processes share counts once."""
    total = 0
    for process in (service, *service.children(recursive=True)):
        with suppress(psutil.Error):  # a worker that has just been killed
            total += process.memory_full_info().pss
    return total / 2**20


def bodies(kind: str) -> tuple[str, list[bytes]]:
    """Returns a content type, and request bodies of that type, from the committed drawings."""
    drawings = [strokes.render(drawing) for drawing in strokes.read(paths.DRAWINGS)[:: 280 // DISTINCT][:DISTINCT]]
    if kind == "json":
        small = [np.asarray(Image.fromarray(255 - drawing).resize((28, 28))) for drawing in drawings]
        return "application/json", [json.dumps(image.tolist()).encode() for image in small]
    return "image/png", [encode_png(drawing) for drawing in drawings]


if __name__ == "__main__":
    errors.run(main)

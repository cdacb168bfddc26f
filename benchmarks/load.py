"""Load test of the HTTP service: throughput, latency, and memory over time.

    make load                                        # starts a service, sends requests for 30 seconds
    python -m benchmarks.load --seconds 600 --kind png

Client and service share the machine's cores. Writes `benchmarks/load/<kind>.json`.
"""

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil
from PIL import Image

from benchmarks import machine
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.drawing import strokes
from digits.serving.image_file import encode_png

RESULTS = Path("benchmarks/load")
DISTINCT = 64  # bodies, sent in turn
PAUSE = 1.0  # seconds between two measurements of the memory


def main() -> None:
    """Prints and writes the metrics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--kind", choices=("json", "png"), default="json", help="28x28 pixels, or a drawing as a file")
    parser.add_argument("--port", type=int, default=8765)
    arguments = parser.parse_args()
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
    files.write_json(RESULTS / f"{arguments.kind}.json", {"machine": machine.describe(), **metrics})


async def measure(arguments: argparse.Namespace, service: psutil.Process) -> dict[str, Any]:
    """Keeps all connections busy and samples the service's memory."""
    kind, content = bodies(arguments.kind)
    address = f"http://127.0.0.1:{arguments.port}/predict"
    seconds: list[float] = []
    failed = 0
    memory: list[float] = []
    connector = aiohttp.TCPConnector(limit=arguments.connections)
    async with aiohttp.ClientSession(connector=connector, headers={"Content-Type": kind}) as session:
        end = time.monotonic() + arguments.seconds + 3

        async def ask(first: int, until: float, log: list[float]) -> None:
            nonlocal failed
            number = first
            while time.monotonic() < until:
                started = time.perf_counter()
                try:
                    async with session.post(address, data=content[number % len(content)]) as response:
                        await response.read()
                        failed += response.status != 200
                except (aiohttp.ClientError, OSError, TimeoutError):
                    failed += 1
                log.append(time.perf_counter() - started)
                number += 1

        async def sample_memory() -> None:
            while time.monotonic() < end:
                memory.append(service.memory_info().rss / 2**20)
                await asyncio.sleep(PAUSE)

        gc.collect()
        gc.freeze()  # so that the client's garbage collection does not count as latency
        warm: list[float] = []
        await asyncio.gather(*(ask(n, time.monotonic() + 3, warm) for n in range(arguments.connections)))
        started = time.monotonic()
        end = started + arguments.seconds
        await asyncio.gather(sample_memory(), *(ask(n, end, seconds) for n in range(arguments.connections)))
        took = time.monotonic() - started
    milliseconds = np.array(seconds) * 1000
    tenth = max(1, len(memory) // 10)
    return {
        "requests_per_second": len(seconds) / took,
        "requests": len(seconds),
        "failed": failed,
        "p50_ms": float(np.percentile(milliseconds, 50)),
        "p99_ms": float(np.percentile(milliseconds, 99)),
        "longest_ms": float(milliseconds.max()),
        "connections": arguments.connections,
        "memory_mb_first_tenth": statistics.median(memory[:tenth]),
        "memory_mb_last_tenth": statistics.median(memory[-tenth:]),
    }


def bodies(kind: str) -> tuple[str, list[bytes]]:
    """Returns a content type, and request bodies of that type, from the committed drawings."""
    drawings = [strokes.render(drawing) for drawing in strokes.read(paths.DRAWINGS)[:: 280 // DISTINCT][:DISTINCT]]
    if kind == "json":
        small = [np.asarray(Image.fromarray(255 - drawing).resize((28, 28))) for drawing in drawings]
        return "application/json", [json.dumps(image.tolist()).encode() for image in small]
    return "image/png", [encode_png(drawing) for drawing in drawings]


if __name__ == "__main__":
    errors.run(main)

"""Serves a trained model over HTTP: `make api`, or python -m apps.api --help."""

import argparse
import gc
import socket
import sys
from contextlib import suppress
from pathlib import Path

import uvicorn

from apps import limits, ports
from apps.api import app
from apps.api.connection import LimitedConnection
from apps.catalogue import chosen
from digits.core import errors
from digits.core.errors import UserError
from digits.serving.predictor import Predictor

SHUTDOWN_SECONDS = 5  # for requests that have begun


def main() -> None:
    """Loads the model and serves until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m apps.api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in (default: %(default)s)")
    parser.add_argument("--port", type=ports.number, default=8000, help="default: %(default)s")
    parser.add_argument("--model", type=Path, help="default: the exported one")
    parser.add_argument("--about", type=Path, help="default: about.json beside the model")
    parser.add_argument("--allow", action="store_true", help="run the model even if formats.json lists another file")
    parser.add_argument(
        "--rate", type=float, default=limits.RATE, help="requests a second and client (default: %(default)s)"
    )
    parser.add_argument(
        "--cors",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="lets pages of this web site read the answers, such as https://example.org; may be repeated",
    )
    arguments = parser.parse_args()
    if not arguments.rate >= 1:
        raise UserError(f"--rate {arguments.rate}: at least 1 request a second")
    ports.check(arguments.host, arguments.port)
    # One thread: HTTP needs the other core.
    predictor = Predictor(*chosen(arguments.model, arguments.about), threads=1, checked=not arguments.allow)
    service = app.create(predictor, rate=arguments.rate, origins=arguments.cors)
    gc.collect()
    gc.freeze()  # long-lived objects are not scanned again: no request waits for that
    configuration = uvicorn.Config(
        service,
        host=arguments.host,
        port=arguments.port,
        http=LimitedConnection,
        ws="none",
        timeout_keep_alive=limits.IDLE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        log_level="error",  # not a line for each request that is none
        access_log=False,
    )
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    server = Server(configuration, f"{predictor.about.recipe} on http://{host}:{arguments.port}")
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(1)


class Server(uvicorn.Server):
    """Prints a line as soon as it answers."""

    def __init__(self, configuration: uvicorn.Config, line: str) -> None:
        super().__init__(configuration)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts the workers, and listens."""
        await super().startup(sockets)
        if self.started:
            print(self._line, flush=True)


if __name__ == "__main__":
    errors.run(main)

"""The option `--port` of the servers."""

import argparse
import socket

from digits.core.errors import UserError


def number(text: str) -> int:
    """Parses a port number."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text}: a port is a number from 1 to 65535")
    return int(text)


def check(host: str, port: int) -> None:
    """Checks that a server can listen on this address.

    Raises:
        UserError: the port is taken, or the address is not this machine's.
    """
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(address)
            server.listen()
    except OSError as error:
        raise UserError(f"{host}:{port}: {error.strerror}; take another --port") from error

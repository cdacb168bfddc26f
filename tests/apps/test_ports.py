import argparse
import socket

import pytest

from apps import ports
from digits.core.errors import UserError


@pytest.mark.parametrize("text", ["1", "8000", "65535"])
def test_a_port_is_a_number(text):
    assert ports.number(text) == int(text)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "80.5", ""])
def test_anything_else_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="a port is a number from 1 to 65535"):
        ports.number(text)


def test_a_port_in_use_is_told():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=rf"127.0.0.1:{port}: .*; take another --port"):
            ports.check("127.0.0.1", port)
    ports.check("127.0.0.1", port)


def test_an_address_of_another_machine_is_told():
    with pytest.raises(UserError, match="take another --port"):
        ports.check("192.0.2.1", 8000)

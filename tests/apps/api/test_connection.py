import asyncio
import socket

import pytest
import uvicorn

from apps import limits
from apps.api import connection
from apps.api.connection import LimitedConnection, Stage

START = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def app(scope, receive, send):
    """Answers with the length of the body, or with 413 before it has read more than the first part of it."""
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message["body"])
        if scope["path"] == "/refuse" or not message["more_body"]:
            break
    status = 413 if scope["path"] == "/refuse" else 200
    content = str(length).encode()
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(content))]}
    )
    await send({"type": "http.response.body", "body": content})


@pytest.fixture
def seconds(monkeypatch):
    """Sets how many seconds a stage may last: `seconds(BODY=0.1)`."""
    monkeypatch.setattr(connection, "CHECK_SECONDS", 0.01)

    def change(**stages):
        for name, value in stages.items():
            monkeypatch.setitem(connection.SECONDS, Stage[name], value)

    return change


def served(use):
    """Runs `await use(connect)` with a running server; `await connect()` gives a reader and a writer."""

    async def run():
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            options = {"lifespan": "off", "ws": "none", "log_level": "critical", "timeout_keep_alive": 60}
            server = uvicorn.Server(uvicorn.Config(app, http=LimitedConnection, **options))
            serving = asyncio.create_task(server.serve([listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            try:
                async with asyncio.timeout(10):
                    return await use(lambda: asyncio.open_connection(*listening.getsockname()))
            finally:
                server.force_exit = server.should_exit = True
                await serving

    return asyncio.run(run())


def exchange(*parts):
    """Sends the parts over one connection, and returns what comes until it is closed."""

    async def use(connect):
        reader, writer = await connect()
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.001)
        try:
            return await reader.read()
        except ConnectionError:
            return b"reset"
        finally:
            writer.close()

    return served(use)


def with_body(content, path=b"/"):
    return START.replace(b"/ ", path + b" ", 1) + b"Content-Length: %d\r\n\r\n" % len(content) + content


def test_requests_are_answered_one_after_the_other_over_one_connection():
    async def use(connect):
        reader, writer = await connect()
        answers = []
        for length in (0, 5, 100_000):
            writer.write(with_body(bytes(length)))
            head = await reader.readuntil(b"\r\n\r\n")
            answers.append((head[9:12], await reader.readexactly(len(str(length)))))
        writer.close()
        return answers

    assert served(use) == [(b"200", b"0"), (b"200", b"5"), (b"200", b"100000")]


def test_requests_that_are_sent_together_are_all_answered():
    async def use(connect):
        reader, writer = await connect()
        writer.write(with_body(b"a") + with_body(b"bc") + with_body(b"def"))
        found = b""
        while found.count(b"HTTP/1.1 200") < 3 or not found.endswith(b"3"):
            found += await reader.read(1000)
        writer.close()
        return [part[-1:] for part in found.split(b"HTTP/1.1 200")[1:]]

    assert served(use) == [b"1", b"2", b"3"]


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_silent_connection_is_closed(seconds, sent):
    seconds(IDLE=0.05)
    assert exchange(sent) in (b"", b"reset")


def test_a_silent_connection_is_closed_after_an_answer(seconds):
    seconds(IDLE=0.05)
    assert exchange(with_body(b"a")).startswith(b"HTTP/1.1 200")


def test_a_slow_header_is_refused(seconds):
    seconds(HEADER=0.05)
    assert exchange(b"POST / HT").startswith(b"HTTP/1.1 408")
    assert exchange(START).startswith(b"HTTP/1.1 408")


def test_a_slow_body_is_refused(seconds):
    seconds(BODY=0.05)
    told = exchange(START + b"Content-Length: 5\r\n\r\nabc")
    assert told.startswith(b"HTTP/1.1 408")
    assert told.endswith(b"Request body too slow")


def test_an_answer_that_takes_too_long_ends_the_connection(seconds, monkeypatch):
    seconds(ANSWER=0.05)

    async def never(scope, receive, send):
        await asyncio.sleep(60)

    monkeypatch.setitem(globals(), "app", never)
    assert exchange(with_body(b"a")) in (b"", b"reset")


@pytest.mark.parametrize(
    "parts",
    [
        [START, b"X: " + b"x" * limits.HEADER_BYTES + b"\r\n\r\n"],
        [START, *([b"X: " + b"x" * 1000 + b"\r\n"] * 17), b"\r\n"],
        [START, *([b"x" * 4096] * 5)],  # one that never ends
        [b"GET /" + b"x" * limits.HEADER_BYTES + b" HTTP/1.1\r\n\r\n"],
    ],
    ids=["one long", "many", "endless", "address"],
)
def test_a_long_header_is_refused(parts):
    assert exchange(*parts)[:12] in (b"HTTP/1.1 431", b"reset")


@pytest.mark.parametrize("second", [[START, *([b"x" * 4096] * 5)], [b"nonsense\r\n\r\n"]])
def test_a_request_that_is_refused_gets_no_answer_before_an_earlier_one(monkeypatch, second):
    async def never(scope, receive, send):
        await asyncio.sleep(60)

    monkeypatch.setitem(globals(), "app", never)
    assert exchange(with_body(b"a"), *second) in (b"", b"reset")


def test_a_header_of_the_allowed_length_is_read():
    filler = b"X: " + b"x" * (limits.HEADER_BYTES - 200) + b"\r\n"
    assert exchange(START + filler + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_what_is_no_http_is_refused():
    assert exchange(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_after_a_long_body_a_connection_may_be_used_again(seconds):
    body = bytes(2 * limits.HEADER_BYTES)

    async def use(connect):
        reader, writer = await connect()
        for path in (b"/refuse", b"/"):
            writer.write(with_body(body, path))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            content = await reader.readexactly(length)
        writer.close()
        return head[9:12], content

    assert served(use) == (b"200", str(len(body)).encode())


def test_a_refused_body_is_discarded_only_so_far(monkeypatch):
    monkeypatch.setattr(limits, "DISCARDED_BYTES", 100_000)
    head = START.replace(b"/ ", b"/refuse ", 1) + b"Content-Length: 100000000\r\n\r\n"
    assert exchange(head, *([bytes(50_000)] * 20))[:12] in (b"HTTP/1.1 413", b"reset")


def test_the_most_silent_connection_makes_room(monkeypatch):
    monkeypatch.setattr(limits, "CONNECTIONS", 3)

    async def use(connect):
        busy = await connect()
        busy[1].write(START + b"Content-Length: 5\r\n\r\nabc")
        silent = [await connect() for _ in range(2)]
        await asyncio.sleep(0.05)
        last = await connect()
        first_silent = await silent[0][0].read()
        for reader, writer in (last, silent[1]):
            writer.write(with_body(b"a"))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        busy[1].write(b"de")
        assert (await busy[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        for _, writer in (busy, last, *silent):
            writer.close()
        return first_silent

    assert served(use) == b""


def test_if_none_is_silent_a_new_one_is_closed(monkeypatch):
    monkeypatch.setattr(limits, "CONNECTIONS", 1)

    async def use(connect):
        busy, new = await connect(), None
        busy[1].write(START + b"Content-Length: 5\r\n\r\nabc")
        await asyncio.sleep(0.05)
        new = await connect()
        try:
            told = await new[0].read()
        except ConnectionError:
            told = b""
        busy[1].write(b"de")
        assert (await busy[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        for _, writer in (busy, new):
            writer.close()
        return told

    assert served(use) == b""

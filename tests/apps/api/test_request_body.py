import asyncio

import pytest
from starlette.requests import Request

from apps import limits
from apps.api.request_body import Bodies
from apps.api.request_errors import RequestError


def request(parts, headers=(), gone=False):
    """A request whose body comes in these parts, and the messages that were not read."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b""})
    left = iter(messages)

    async def receive():
        return next(left)

    return Request({"type": "http", "method": "POST", "headers": list(headers)}, receive)


def read(parts, headers=(), most=10, gone=False, bodies=None):
    async def run():
        async with (bodies or Bodies()).read(request(parts, headers, gone), most) as content:
            return content

    return asyncio.run(run())


def test_a_body_comes_in_parts():
    assert read([b"abc", b"", b"defg"]) == b"abcdefg"
    assert read([b"0123456789"]) == b"0123456789"


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"5")], [(b"content-length", b"nonsense")]])
def test_a_body_is_read_no_further_than_allowed_whatever_it_said(headers):
    with pytest.raises(RequestError) as refused:
        read([b"0123456789", b"a", b"never read"], headers)
    assert refused.value.status == 413


def test_a_body_that_says_it_is_too_long_is_not_read_at_all():
    with pytest.raises(RequestError) as refused:
        read([], [(b"content-length", b"11")], gone=True)
    assert refused.value.status == 413


@pytest.mark.parametrize(("most", "told"), [(8 * 2**20, "at most 8 MB"), (512 * 1024, "at most 512 kB")])
def test_the_limit_is_told(most, told):
    with pytest.raises(RequestError, match=told):
        read([bytes(most), b"a"], most=most)


def test_a_client_that_goes_away_is_no_error_of_ours():
    with pytest.raises(RequestError) as refused:
        read([b"abc"], gone=True)
    assert refused.value.status == 400


def test_large_bodies_may_fill_only_so_much_memory_and_small_ones_are_always_read(monkeypatch):
    monkeypatch.setattr(limits, "BUFFERED_BYTES", 300)
    monkeypatch.setattr(limits, "SMALL_BYTES", 50)
    bodies = Bodies()

    async def run():
        async with bodies.read(request([bytes(100)] * 3), 1000) as content:
            assert len(content) == bodies.buffered == 300
            with pytest.raises(RequestError) as refused:
                async with bodies.read(request([bytes(100)]), 1000):
                    pass
            async with bodies.read(request([bytes(50)]), 1000) as small:
                assert len(small) == 50
        return refused.value

    refused = asyncio.run(run())
    assert (refused.status, refused.retry_after) == (503, 1)
    assert bodies.buffered == 0


def test_what_was_refused_is_no_longer_in_memory():
    bodies = Bodies()
    for parts, gone in (([bytes(8), bytes(8)], False), ([bytes(8)], True)):
        with pytest.raises(RequestError):
            read(parts, gone=gone, bodies=bodies)
        assert bodies.buffered == 0

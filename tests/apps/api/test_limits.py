import asyncio

import pytest
from starlette.requests import Request

from apps.api import limits
from apps.api.limits import RateLimit
from apps.api.request_errors import RequestError


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes by hand: `clock[0] += 1`."""
    now = [100.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    return now


EMPTY = (429, 1)  # status, seconds to wait


def taken(limit, client="a"):
    try:
        limit.take(client)
    except RequestError as error:
        return error.status, error.retry_after
    return True


def test_the_rate_may_be_used_at_once_and_no_more(clock):
    limit = RateLimit(3)
    assert [taken(limit) for _ in range(4)] == [True, True, True, EMPTY]


def test_the_bucket_fills_again_but_not_beyond_its_size(clock):
    limit = RateLimit(2)
    assert [taken(limit) for _ in range(3)] == [True, True, EMPTY]
    clock[0] += 0.5
    assert [taken(limit) for _ in range(2)] == [True, EMPTY]
    clock[0] += 3600
    assert [taken(limit) for _ in range(3)] == [True, True, EMPTY]


def test_refused_requests_cost_nothing(clock):
    limit = RateLimit(1)
    assert [taken(limit) for _ in range(50)] == [True] + 49 * [EMPTY]
    clock[0] += 1
    assert taken(limit) is True


def test_each_client_has_its_own(clock):
    limit = RateLimit(1)
    assert [taken(limit, client) for client in "abab"] == [True, True, EMPTY, EMPTY]


def test_only_so_many_clients_are_remembered_the_most_silent_is_forgotten(clock, monkeypatch):
    monkeypatch.setattr(limits, "CLIENTS", 2)
    limit = RateLimit(1)
    assert [taken(limit, client) for client in "abca"] == [True, True, True, True]
    assert len(limit._buckets) == 2
    assert taken(limit, "c") == EMPTY


def read(parts, headers=(), largest=10, gone=False):
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b""})
    left = iter(messages)

    async def receive():
        return next(left)

    request = Request({"type": "http", "method": "POST", "headers": list(headers)}, receive)
    return asyncio.run(limits.body(request, largest)), len(list(left))


def test_a_body_comes_in_parts():
    assert read([b"abc", b"", b"defg"])[0] == b"abcdefg"
    assert read([b"0123456789"])[0] == b"0123456789"


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"5")], [(b"content-length", b"nonsense")]])
def test_a_body_is_read_no_further_than_allowed_whatever_it_said(headers):
    with pytest.raises(RequestError) as refused:
        read([b"0123456789", b"a", b"never read"], headers)
    assert refused.value.status == 413


def test_a_body_that_says_it_is_too_long_is_not_read_at_all():
    with pytest.raises(RequestError) as refused:
        read([], [(b"content-length", b"11")], gone=True)
    assert refused.value.status == 413


def test_a_client_that_goes_away_is_no_error_of_ours():
    with pytest.raises(RequestError) as refused:
        read([b"abc"], gone=True)
    assert refused.value.status == 400

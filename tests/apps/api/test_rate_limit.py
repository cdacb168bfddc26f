import pytest

from apps import limits
from apps.api import rate_limit
from apps.api.rate_limit import RateLimit
from apps.api.request_errors import RequestError


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes by hand: `clock[0] += 1`."""
    now = [100.0]
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: now[0])
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

import asyncio
import threading

import pytest

from apps.api.batching import Batcher
from apps.api.request_errors import RequestError


class Network:
    """Answers each frame with itself, in calls that wait for `go`."""

    def __init__(self):
        self.calls, self.go = [], threading.Event()

    def __call__(self, frames):
        self.calls.append(frames)
        assert self.go.wait(10)
        if "broken" in frames:
            raise RuntimeError("out of memory")
        return frames


def batcher(network, sizes=None, *, largest=4, longest=100):
    return Batcher(network, largest=largest, longest=longest, observe=(sizes if sizes is not None else []).append)


async def waiting(batch, *requests):
    """Asks all of them, and returns when all wait."""
    tasks = [asyncio.create_task(batch(list(frames))) for frames in requests]
    for _ in range(10):
        await asyncio.sleep(0.005)
    return tasks


def test_what_comes_while_the_network_is_busy_is_answered_together():
    network, sizes = Network(), []

    async def run():
        batch = batcher(network, sizes)
        tasks = await waiting(batch, "a") + await waiting(batch, "b", "cd")
        network.go.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == [["a"], ["b"], ["c", "d"]]
    assert network.calls == [["a"], ["b", "c", "d"]]
    assert sizes == [1, 3]


def test_a_call_gets_no_more_than_the_largest_batch():
    network = Network()

    async def run():
        batch = batcher(network)
        tasks = await waiting(batch, "a") + await waiting(batch, "bcdefg", "hi")
        network.go.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == [["a"], list("bcdefg"), ["h", "i"]]
    assert network.calls == [["a"], list("bcde"), list("fghi")]


def test_one_alone_does_not_wait_for_others():
    network = Network()
    network.go.set()
    assert asyncio.run(batcher(network)(["a"])) == ["a"]
    assert network.calls == [["a"]]


def test_nothing_asked_is_nothing_answered():
    assert asyncio.run(batcher(Network())([])) == []


def test_an_error_is_handed_to_every_waiter_and_the_next_are_answered():
    network = Network()

    async def run():
        batch = batcher(network)
        first = await waiting(batch, "a")
        both = await waiting(batch, ["broken"], "c")
        network.go.set()
        found = await asyncio.gather(*first, *both, return_exceptions=True)
        return found, await batch(["d"])

    (first, second, third), later = asyncio.run(run())
    assert first == ["a"]
    assert str(second) == str(third) == "out of memory"
    assert later == ["d"]


def test_above_the_longest_queue_a_request_is_refused_and_the_waiting_are_not_hurt():
    network = Network()

    async def run():
        batch = batcher(network, longest=3)
        tasks = await waiting(batch, "a") + await waiting(batch, "bcd")
        with pytest.raises(RequestError) as refused:
            await batch(["e"])
        network.go.set()
        return refused.value, await asyncio.gather(*tasks)

    refused, found = asyncio.run(run())
    assert (refused.status, refused.retry_after) == (503, 1)
    assert found == [["a"], ["b", "c", "d"]]


def test_a_client_that_goes_away_does_not_hurt_the_others():
    network = Network()

    async def run():
        batch = batcher(network)
        first = await waiting(batch, "a")
        gone, stays = await waiting(batch, "b", "c")
        gone.cancel()
        network.go.set()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await asyncio.gather(*first, stays)

    assert asyncio.run(run()) == [["a"], ["c"]]

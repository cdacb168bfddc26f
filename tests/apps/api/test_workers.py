import asyncio
import os
import signal
import sys

import numpy as np
import psutil
import pytest

from apps import limits, steps
from apps.api import workers
from apps.api.request_errors import RequestError
from apps.api.workers import Workers
from benchmarks import hostile
from digits.drawing import framing
from tests.apps.conftest import encoded

LITTLE_TIME = "from apps import limits; limits.{} = 0.06; from apps.api import decoding; decoding.main()"
# Some tenths of a second of processor time, and few pixels.
SLOW = ("image/png", hostile.png_with_text())


def run(use, *, command=Workers.command):
    """Runs `await use(workers)` with running workers."""

    async def start():
        running = Workers()
        running.command = command
        await running.start()
        try:
            return await use(running)
        finally:
            await running.stop()

    return asyncio.run(start())


def with_less(name):
    return sys.executable, "-c", LITTLE_TIME.format(name)


def processes(running):
    """Their parent, and the workers, the small ones first."""
    parent = psutil.Process(running._process.pid)
    return parent, sorted(parent.children(), key=lambda child: child.pid)


async def refusal(request):
    with pytest.raises(RequestError) as refused:
        await request
    return refused.value.status, str(refused.value)


def test_many_at_once_each_get_their_own_digits(three):
    drawings = [np.roll(three, 7 * number, axis=0) for number in range(40)]
    large = np.repeat(np.repeat(three, 3, axis=0), 3, axis=1)

    async def ask(running):
        requests = [running.digits("image/png", encoded(drawing)) for drawing in [*drawings, large]]
        return [digit for [[digit]] in await asyncio.gather(*requests)]

    for drawing, digit in zip([*drawings, large], run(ask), strict=True):
        assert np.array_equal(digit.frame, framing.frame(drawing))


def test_what_is_refused_is_told():
    assert run(lambda running: refusal(running.digits("image/png", b"hello")))[0] == 422


def test_steps_and_digits_may_be_asked_for_in_turn(three):
    large = np.repeat(np.repeat(three, 3, axis=0), 3, axis=1)

    async def ask(running):
        content = encoded(three)
        taken, [[digit]] = await asyncio.gather(running.steps(content), running.digits("image/png", content))
        return taken, digit, await running.steps(encoded(large)), await refusal(running.steps(b"hello"))

    taken, digit, of_large, refused = run(ask)
    assert np.array_equal(taken.digits[0].frame, digit.frame)
    assert taken.ink == steps.of(three).ink
    assert of_large.ink == steps.of(large).ink
    assert refused == (422, "no readable image; PNG, JPEG, WEBP, BMP, GIF, TIFF are read")


def test_what_takes_long_for_a_small_request_counts_as_a_large_one(three):
    async def ask(running):
        slow, quick = running.digits(*SLOW), running.digits("image/png", encoded(three))
        return await asyncio.gather(slow, quick)

    [slow], [[quick]] = run(ask, command=with_less("SMALL_CPU_SECONDS"))
    assert slow == []  # nothing is drawn there
    assert np.array_equal(quick.frame, framing.frame(three))


def test_what_takes_too_long_is_refused_and_the_next_are_answered(three):
    async def ask(running):
        slow = refusal(running.digits(*SLOW))
        others = [running.digits("image/png", encoded(three)) for _ in range(10)]
        told, *answers = await asyncio.gather(slow, *others)
        return told, answers, await running.digits("image/png", bytes(0) + encoded(three))

    both = "SMALL_CPU_SECONDS = limits.LARGE_CPU_SECONDS"
    told, answers, last = run(ask, command=with_less(both))
    assert told == (422, "the images take too long to decode; send smaller or simpler ones")
    for [[digit]] in [*answers, last]:
        assert np.array_equal(digit.frame, framing.frame(three))


def test_workers_that_were_killed_while_they_had_nothing_to_do_are_replaced(three):
    async def ask(running):
        await running.digits("image/png", encoded(three))
        _, before = processes(running)
        for child in before:
            child.kill()
        answers = [await running.digits("image/png", encoded(three)) for _ in range(4)]
        return answers, {child.pid for child in before} & {child.pid for child in processes(running)[1]}

    answers, same = run(ask)
    assert all(np.array_equal(digit.frame, framing.frame(three)) for [[digit]] in answers)
    assert not same


def test_a_smaller_limit_of_the_system_holds(three):
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29)); "
    command = sys.executable, "-c", code + "from apps.api import decoding; decoding.main()"
    [[digit]] = run(lambda running: running.digits("image/png", encoded(three)), command=command)
    assert np.array_equal(digit.frame, framing.frame(three))


def test_an_error_with_an_image_is_told_and_costs_no_worker(three, capfd):
    code = "from apps.api import decoding as d; d.FAILED_SECONDS = 3600; find = d.framing.find; "
    code += "d.framing.find = lambda image: find(image) if image.shape[0] > 9 else 1 / 0; d.main()"

    async def ask(running):
        bad = encoded(np.zeros((9, 9), np.uint8))
        told = {await refusal(running.digits("image/png", bad)) for _ in range(2 * limits.SMALL_WORKERS)}
        return told, await running.digits("image/png", encoded(three))

    told, [[digit]] = run(ask, command=(sys.executable, "-c", code))
    assert told == {(500, "internal error")}
    assert np.array_equal(digit.frame, framing.frame(three))
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_an_error_in_a_worker_is_told_and_ends_no_other_request(three, capfd):
    code = "from apps.api import decoding as d; one = d.reply; d.FAILED_SECONDS = 0; "
    code += "d.reply = lambda kind, content, *more, **steps: (one(kind, content, *more, **steps) if content else 1 / 0)"
    code += "; d.main()"

    async def ask(running):
        return await refusal(running.digits("image/png", b"")), await running.digits("image/png", encoded(three))

    told, [[digit]] = run(ask, command=(sys.executable, "-c", code))
    assert told == (500, "internal error")
    assert np.array_equal(digit.frame, framing.frame(three))
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_all_are_started_anew_when_they_are_gone(three, monkeypatch):
    monkeypatch.setattr(workers, "RESTART_SECONDS", 0.01)

    async def ask(running):
        await running.digits("image/png", encoded(three))
        os.killpg(running._process.pid, signal.SIGKILL)
        told = set()
        async with asyncio.timeout(60):
            while True:
                try:
                    return told, await running.digits("image/png", encoded(three))
                except RequestError as error:
                    told.add((error.status, error.retry_after))
                    await asyncio.sleep(0.01)

    told, [[digit]] = run(ask)
    assert told == {(503, 1)}
    assert np.array_equal(digit.frame, framing.frame(three))


@pytest.mark.parametrize("fault", ["_start_process", "opened"])
def test_a_start_that_fails_is_tried_again(three, monkeypatch, fault):
    monkeypatch.setattr(workers, "RESTART_SECONDS", 0.01)
    place = Workers if fault == "_start_process" else workers.Channel
    working, failures, started = getattr(place, fault), [OSError("too many open files")] * 3, []
    popen = workers.subprocess.Popen
    monkeypatch.setattr(
        workers.subprocess, "Popen", lambda *args, **options: started.append(popen(*args, **options)) or started[-1]
    )

    def fail_at_first(*arguments):
        if failures:
            raise failures.pop()
        return working(*arguments)

    async def ask(running):
        monkeypatch.setattr(place, fault, fail_at_first)
        os.killpg(running._process.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while True:
                try:
                    return await running.digits("image/png", encoded(three))
                except RequestError:
                    await asyncio.sleep(0.01)

    [[digit]] = run(ask)
    assert not failures
    assert np.array_equal(digit.frame, framing.frame(three))
    assert all(process.poll() is not None for process in started), "none is left at work"


def test_workers_that_do_not_answer_are_started_anew(three, monkeypatch):
    monkeypatch.setattr(workers, "RESTART_SECONDS", 0.01)

    async def ask(running):
        await running.digits("image/png", encoded(three))
        for process in processes(running)[1]:
            process.suspend()
        with monkeypatch.context() as short:
            short.setattr(limits, "WORKER_WAIT_SECONDS", 0.05)
            short.setattr(limits, "STUCK_SECONDS", 0.01)
            told = await refusal(running.digits("image/png", encoded(three)))
            async with asyncio.timeout(60):
                while running._restarting:
                    await asyncio.sleep(0.01)
        return told, await running.digits("image/png", encoded(three))

    told, [[digit]] = run(ask)
    assert told == (503, workers.BUSY)
    assert np.array_equal(digit.frame, framing.frame(three))


@pytest.mark.parametrize(("kind", "size"), [("SMALL", 1), ("LARGE", limits.SMALL_BYTES + 1)])
def test_only_so_many_wait(monkeypatch, kind, size):
    monkeypatch.setattr(limits, f"{kind}_WAITING", 1)
    answered = getattr(limits, f"{kind}_WORKERS") + 1

    async def ask(running):
        requests = [refusal(running.digits("image/png", bytes(size))) for _ in range(5)]
        return sorted(status for status, _ in await asyncio.gather(*requests))

    assert run(ask) == [422] * answered + [503] * (5 - answered)


def test_they_end_with_the_service(three):
    async def ask(running):
        parent, children = processes(running)
        await running.digits("image/png", encoded(three))
        return [parent, *children]

    for process in run(ask):
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

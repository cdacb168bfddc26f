"""The worker processes: they turn request bodies into frames, and can be killed, for what they decode may be hostile.

A process without threads imports what they need and forks them; it forks the next one when one has ended or was killed,
which takes milliseconds. `apps.api.workers` starts it and talks to each worker through a socket:

- a request: `REQUEST` (whether the steps are wanted, the length of the content type, that of the body), content type,
  body;
- a reply: `REPLY` (a `Reply`, the length of what follows), and what `Reply` says. Nothing that is unpickled.
"""

import logging
import mmap
import os
import resource
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from PIL import Image

from apps import limits, steps
from apps.api import reading
from apps.steps import Steps
from digits.core.errors import UserError
from digits.drawing import framing
from digits.drawing.framing import Digit

REQUEST, REPLY = struct.Struct("!?HI"), struct.Struct("!BI")
FAILED_SECONDS = 1.0  # before the next worker, so that an error in this program does not repeat without end
COUNT = struct.Struct("!H")  # of the digits in a picture
BOX = struct.Struct("!4f")
FRAME_BYTES = framing.SIDE**2
LENGTHS = struct.Struct("!2I")  # of two PNG files


class Reply(IntEnum):
    """The kinds of replies."""

    DIGITS = 0  # for each image `COUNT`, and for each digit in it `BOX` and FRAME_BYTES
    REFUSED = 1  # the reason, in UTF-8
    LARGE = 2  # nothing: more pixels than a worker for small requests decodes
    KILLED = 3  # nothing: the request needed too much processor time, or the system killed the worker
    FAILED = 4  # nothing: an error in this program
    STEPS = 5  # of the first image: `LENGTHS`, the picture, the ink, and its digits as in DIGITS


class Request(NamedTuple):
    """A request to a worker.

    Attributes:
        content_type: the Content-Type header.
        content: the body.
        with_steps: whether the steps of its first image are wanted.
    """

    content_type: str
    content: bytes
    with_steps: bool = False

    def packed(self) -> bytes:
        """Returns it as bytes."""
        kind = self.content_type.encode("latin-1")
        return REQUEST.pack(self.with_steps, len(kind), len(self.content)) + kind + self.content


class Ending(IntEnum):
    """The exit status of a worker."""

    CLOSED = 0  # the service has closed the socket
    DONE = 1  # it has answered a large request: its successor has not the memory that this took
    FAILED = 2  # an error in this program


def main() -> None:
    """Serves the sockets whose descriptors are the arguments: those for small requests, `-`, those for large ones."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which then closes the sockets
    logging.disable()  # a line for each damaged form
    Image.init()  # imports the decoders
    split = sys.argv.index("-")
    channels = [socket.socket(fileno=int(number)) for number in (*sys.argv[1:split], *sys.argv[split + 1 :])]
    with suppress(ConnectionError):  # the service is gone
        supervise(channels, small=split - 1)


def supervise(channels: Sequence[socket.socket], small: int) -> None:
    """Keeps a worker running for each socket until the service closes it.

    Args:
        channels: the sockets.
        small: how many of them, the first ones, are for small requests.
    """
    working = mmap.mmap(-1, len(channels))  # shared: which worker is at work

    def fork(number: int) -> int:
        process = os.fork()
        if process:
            return process
        ending = Ending.FAILED
        try:
            ending = work(channels[number], working, number, small=number < small)
        except ConnectionError:
            ending = Ending.CLOSED
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(ending)

    running = {fork(number): number for number in range(len(channels))}
    while running:
        process, status = os.wait()
        number, ending = running.pop(process), os.waitstatus_to_exitcode(status)
        if ending == Ending.CLOSED:
            continue
        if ending == Ending.FAILED:
            time.sleep(FAILED_SECONDS)
        if working[number]:
            working[number] = 0
            kind = Reply.FAILED if ending == Ending.FAILED else Reply.KILLED
            channels[number].sendall(REPLY.pack(kind, 0))
        running[fork(number)] = number


def work(channel: socket.socket, working: mmap.mmap, number: int, *, small: bool) -> Ending:
    """Answers the requests on a socket; SIGPROF ends the process when one takes too much processor time."""
    _, allowed = resource.getrlimit(resource.RLIMIT_AS)
    most = min(limits.WORKER_BYTES, allowed) if allowed != resource.RLIM_INFINITY else limits.WORKER_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not small:
        os.nice(limits.LARGE_NICE)
    pixels = limits.SMALL_PIXELS if small else limits.PIXELS
    seconds = limits.SMALL_CPU_SECONDS if small else limits.LARGE_CPU_SECONDS
    while header := _received(channel, REQUEST.size):
        with_steps, *lengths = REQUEST.unpack(header)
        content_type, content = (_received(channel, length) for length in lengths)
        working[number] = 1
        signal.setitimer(signal.ITIMER_PROF, seconds)
        kind, payload = reply(content_type.decode("latin-1"), bytes(content), pixels, with_steps=with_steps)
        signal.setitimer(signal.ITIMER_PROF, 0)
        working[number] = 0
        channel.sendall(REPLY.pack(kind, len(payload)) + payload)
        if not small:
            return Ending.DONE
    return Ending.CLOSED


def _received(channel: socket.socket, length: int) -> bytearray:
    """Reads `length` bytes; empty if the socket was closed."""
    content = bytearray(length)
    view = memoryview(content)
    while view:
        count = channel.recv_into(view)
        if not count:
            return bytearray()
        view = view[count:]
    return content


def reply(content_type: str, content: bytes, pixels: int, *, with_steps: bool = False) -> tuple[Reply, bytes]:
    """The digits in the images of a body, or the steps of the first; or why there are none: see `reading.drawings`."""
    try:
        drawings = reading.drawings(content_type, content, pixels)
        if with_steps:
            return Reply.STEPS, pack_steps(steps.of(next(drawings)))
        pictures = [framing.find(drawing) for drawing in drawings]
    except UserError as error:
        return Reply.REFUSED, str(error).encode()
    except MemoryError:
        return Reply.REFUSED, b"the images need too much memory; send smaller ones"
    except reading.LargeError:
        return Reply.LARGE, b""
    except Exception:  # an error in this program must not cost other clients a worker
        traceback.print_exc()
        return Reply.FAILED, b""
    return Reply.DIGITS, b"".join(map(pack, pictures))


def pack(digits: Sequence[Digit]) -> bytes:
    """The digits of one image, as bytes."""
    return COUNT.pack(len(digits)) + b"".join(BOX.pack(*digit.box) + digit.frame.tobytes() for digit in digits)


def unpack(content: bytes) -> list[list[Digit]]:
    """The digits of each image that `pack` packed."""
    pictures: list[list[Digit]] = []
    place = 0
    while place < len(content):
        (count,) = COUNT.unpack_from(content, place)
        place += COUNT.size
        pictures.append([])
        for _ in range(count):
            box = BOX.unpack_from(content, place)
            pixels = np.frombuffer(content, np.uint8, FRAME_BYTES, place + BOX.size)
            pictures[-1].append(Digit(pixels.reshape(framing.SIDE, framing.SIDE), box))
            place += BOX.size + FRAME_BYTES
    return pictures


def pack_steps(taken: Steps) -> bytes:
    """The steps of a picture as bytes."""
    lengths = LENGTHS.pack(len(taken.picture), len(taken.ink))
    return lengths + taken.picture + taken.ink + pack(taken.digits)


def unpack_steps(content: bytes) -> Steps:
    """The steps that `pack_steps` packed."""
    picture, ink = LENGTHS.unpack_from(content)
    files, digits = content[LENGTHS.size :][: picture + ink], content[LENGTHS.size + picture + ink :]
    return Steps(files[:picture], files[picture:], unpack(digits)[0])


if __name__ == "__main__":
    main()

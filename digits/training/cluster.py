"""The worker processes that train together: read from `TF_CONFIG`, and found alive before TensorFlow connects them.

TensorFlow itself takes many faults of a description for a worker that is late, and waits.
"""

import contextlib
import itertools
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from digits.core.errors import UserError, one_line

VARIABLE = "TF_CONFIG"
SECONDS = 300  # for all workers to start: a cluster may have to fetch an image first
EXAMPLE = '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", "index": 0}}'
ROLES = ("chief", "worker")  # in TensorFlow's order; without a chief, worker 0 is the chief


@dataclass(frozen=True)
class Cluster:
    """All workers and which of them this process is.

    Attributes:
        names: `worker 0` and so on, the chief first.
        addresses: `host:port` of each.
        own: position of this process in both.
    """

    names: tuple[str, ...]
    addresses: tuple[str, ...]
    own: int

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that writes."""
        return self.own == 0


def read() -> Cluster:
    """Reads the environment variable `TF_CONFIG`, as `tf.distribute.cluster_resolver.TFConfigClusterResolver` does.

    Raises:
        UserError: it is missing or describes no cluster that this process belongs to.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        raise UserError(f"train.strategy: multi_worker needs {VARIABLE}={EXAMPLE} (docs/scale.md)")
    try:
        content = json.loads(text)
    except ValueError as error:
        raise _wrong(f"not valid JSON ({one_line(error)})") from None
    addresses = _addresses(content)
    task = content.get("task")
    if not isinstance(task, dict) or not {"type", "index"} <= set(task):
        raise _wrong("'task' with 'type' and 'index' of this process is missing")
    role, index = task["type"], task["index"]
    if role not in list(addresses):  # a list, because the role may be unhashable
        raise _wrong(f"task.type is {json.dumps(role)}; the cluster has {' and '.join(addresses)}")
    last = len(addresses[role]) - 1
    if type(index) is not int or not 0 <= index <= last:
        raise _wrong(f"task.index is {json.dumps(index)}; for type {role} it must be a whole number from 0 to {last}")
    names = [f"{role} {number}" for role, group in addresses.items() for number in range(len(group))]
    return Cluster(tuple(names), tuple(itertools.chain(*addresses.values())), names.index(f"{role} {index}"))


def _wrong(what: str) -> UserError:
    return UserError(f"{VARIABLE}: {what}; write {EXAMPLE} (docs/scale.md)")


def _addresses(content: Any) -> dict[str, list[str]]:
    """Returns role -> addresses, the chief first."""
    cluster = content.get("cluster") if isinstance(content, dict) else None
    if not isinstance(cluster, dict) or not cluster.get("worker"):
        raise _wrong("'cluster' with a list 'worker' is missing")
    if unknown := [role for role in cluster if role not in ROLES]:
        raise _wrong(f"cluster.{unknown[0]}: unknown role; allowed are {' and '.join(ROLES)}")
    groups = {role: cluster[role] for role in ROLES if role in cluster}
    for role, group in groups.items():
        if not isinstance(group, list):
            raise _wrong(f"cluster.{role} is not a list")
    everyone = list(itertools.chain(*groups.values()))
    for address in everyone:
        host, _, port = str(address).rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise _wrong(f"{json.dumps(address)} is not an address HOST:PORT")
        if everyone.count(address) > 1:
            raise _wrong(f"{address} is listed twice")
    return groups


def meet(cluster: Cluster, seconds: float = SECONDS) -> None:
    """Waits until every worker listens at its address; this process does so meanwhile.

    Raises:
        UserError: the own address is taken or not of this machine, or a worker is missing after `seconds`.
    """
    deadline = time.monotonic() + seconds
    with _listening(cluster):
        for name, address in zip(cluster.names, cluster.addresses, strict=True):
            while reason := _unreachable(address):
                if time.monotonic() > deadline:
                    raise UserError(
                        f"{name} did not answer at {address} within {seconds:g} s ({reason}): start it, and all others "
                        f"again, or correct its address in {VARIABLE}"
                    )
                time.sleep(0.2)
        time.sleep(0.5)  # so that whoever has just missed this process finds it, too


@contextlib.contextmanager
def _listening(cluster: Cluster) -> Iterator[None]:
    """Occupies the own address. TensorFlow would share a port that is taken, and never look at the host."""
    address = cluster.addresses[cluster.own]
    host, port = _split(address)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        server = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:  # the latter for what can be no name of a machine
        raise _not_here(cluster, error) from None
    with server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the port of a training that has just ended
        try:
            server.bind(place)
            server.listen()
        except OSError as error:
            raise _not_here(cluster, error) from None
        yield


def _not_here(cluster: Cluster, error: OSError | UnicodeError) -> UserError:
    """Returns the message for an address that this process cannot take: port in use, or not of this machine."""
    return UserError(
        f"{VARIABLE}: {cluster.names[cluster.own]} is this process, but cannot listen at "
        f"{cluster.addresses[cluster.own]} ({_reason(error)}): take a free port and an address of this machine"
    )


def _unreachable(address: str) -> str:
    """Returns why nobody answers at an address; empty if somebody does."""
    try:
        socket.create_connection(_split(address), timeout=2).close()
    except (OSError, UnicodeError) as error:
        return _reason(error)
    return ""


def _reason(error: OSError | UnicodeError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)

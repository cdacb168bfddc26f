import json
import re
import socket
import threading
import time

import pytest

from digits.core.errors import UserError
from digits.training import cluster
from digits.training.cluster import Cluster

TWO = {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}


def task(index, role="worker"):
    return {"type": role, "index": index}


@pytest.fixture
def read(monkeypatch):
    def from_content(content):
        monkeypatch.setenv("TF_CONFIG", content if isinstance(content, str) else json.dumps(content))
        return cluster.read()

    return from_content


def test_the_first_worker_is_the_chief(read):
    first = read({"cluster": TWO, "task": task(0)})
    assert first == Cluster(("worker 0", "worker 1"), ("10.0.0.1:2222", "10.0.0.2:2222"), 0)
    assert first.is_chief
    assert not read({"cluster": TWO, "task": task(1)}).is_chief


def test_a_chief_of_its_own_comes_first(read):
    # As the operator of Kubeflow writes it, with keys that are of no use here.
    content = {"cluster": {"worker": ["b:1"], "chief": ["a:1"]}, "task": task(0, "chief"), "environment": "cloud"}
    assert read(content) == Cluster(("chief 0", "worker 0"), ("a:1", "b:1"), 0)
    assert read({**content, "task": task(0)}).own == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "train.strategy: multi_worker needs TF_CONFIG={"),
        ("{'cluster'}", "not valid JSON (Expecting property name"),
        ("[]", "'cluster' with a list 'worker' is missing"),
        ({"task": task(0)}, "'cluster' with a list 'worker' is missing"),
        ({"cluster": {"worker": []}, "task": task(0)}, "'cluster' with a list 'worker' is missing"),
        ({"cluster": {"worker": "a:1"}, "task": task(0)}, "cluster.worker is not a list"),
        (
            {"cluster": {**TWO, "ps": ["a:1"]}, "task": task(0)},
            "cluster.ps: unknown role; allowed",
        ),
        ({"cluster": {"worker": ["a:1", "b"]}, "task": task(0)}, '"b" is not an address HOST:PORT'),
        ({"cluster": {"worker": ["a:1", "b:70000"]}, "task": task(0)}, '"b:70000" is not an address HOST:PORT'),
        ({"cluster": {"worker": ["a:1", 5]}, "task": task(0)}, "5 is not an address HOST:PORT"),
        ({"cluster": {"worker": ["a:1", "a:1"]}, "task": task(0)}, "a:1 is listed twice"),
        ({"cluster": TWO}, "'task' with 'type' and 'index' of this process is missing"),
        ({"cluster": TWO, "task": {"type": "worker"}}, "'task' with 'type' and 'index' of this process is missing"),
        ({"cluster": TWO, "task": task(0, "chief")}, 'task.type is "chief"; the cluster has worker'),
        ({"cluster": TWO, "task": task(0, ["worker"])}, 'task.type is ["worker"]; the cluster has worker'),
        ({"cluster": TWO, "task": task(2)}, "task.index is 2; for type worker it must be a whole number from 0 to 1"),
        ({"cluster": TWO, "task": task(-1)}, "task.index is -1; for type worker it must be a whole number from 0 to 1"),
        (
            {"cluster": TWO, "task": task("1")},
            'task.index is "1"; for type worker it must be a whole number from 0 to 1',
        ),
        (
            {"cluster": TWO, "task": task(True)},
            "task.index is true; for type worker it must be a whole number from 0 to 1",
        ),
    ],
)
def test_a_wrong_description_is_one_line(read, content, complaint):
    with pytest.raises(UserError, match=re.escape(complaint)) as error:
        read(content)
    assert "\n" not in str(error.value)
    assert "docs/scale.md" in str(error.value)


def test_no_description(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UserError, match="multi_worker needs TF_CONFIG="):
        cluster.read()


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def workers(own, *addresses):
    return Cluster(tuple(f"worker {number}" for number in range(len(addresses))), addresses, own)


def test_all_meet_although_one_is_late():
    addresses = [f"127.0.0.1:{port}" for port in free_ports(3)]
    done = []

    def start(own):
        time.sleep(own / 2)
        cluster.meet(workers(own, *addresses), 20)
        done.append(own)

    threads = [threading.Thread(target=start, args=(own,)) for own in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 1, 2]


def test_the_port_is_free_afterwards():
    address = f"127.0.0.1:{free_ports(1)[0]}"
    for _ in range(2):
        cluster.meet(workers(0, address), 5)


def test_a_worker_that_does_not_come():
    here, there = free_ports(2)
    expected = rf"worker 1 did not answer at 127\.0\.0\.1:{there} within 0\.3 s \(Connection refused\): start it"
    with pytest.raises(UserError, match=expected):
        cluster.meet(workers(0, f"127.0.0.1:{here}", f"127.0.0.1:{there}"), 0.3)


def test_a_worker_whose_address_is_no_name_of_a_machine():
    (here,) = free_ports(1)
    with pytest.raises(UserError, match=r"worker 1 did not answer at 10\.0\.0\.\.1:2222 within 0\.3 s \(.*label"):
        cluster.meet(workers(0, f"127.0.0.1:{here}", "10.0.0..1:2222"), 0.3)


def test_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match=rf"worker 0 is this process, but cannot listen at {address} \(Address"):
            cluster.meet(workers(0, address), 5)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "nowhere.invalid", "10.0.0..1"]
)  # two reserved for documentation and tests; no name
def test_an_address_of_another_machine(host):
    with pytest.raises(UserError, match=rf"cannot listen at {host}:2222 \(.+\): take a free port and an address of"):
        cluster.meet(workers(0, f"{host}:2222"), 5)

"""Real servers that can be full: workers, a queue, an overflow, and what they say of it."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ipvsload.record.format import ServerOccupancy
from ipvsload.record.occupancy_stream import OccupancyParser
from tests.lab.asking import TIMEOUT, Target, connect, exchange, get
from tests.load.real import RealServers


@pytest.fixture(scope="module")
def servers() -> Iterator[RealServers]:
    with RealServers() as found:
        yield found


def limited(servers: RealServers, **limits: Any) -> Target:
    target = servers.add()
    name = f"{target[0]}:{target[1]}"
    assert servers.tell(json.dumps({"limit": [name], **limits})) == {"limited": [name]}
    return target


def timing(answer: bytes) -> tuple[float, float]:
    """Milliseconds in the queue, and of work."""
    found = re.search(rb"\r\nServer-Timing: queue;dur=([\d.]+), work;dur=([\d.]+)\r\n", answer)
    assert found, answer
    return float(found[1]), float(found[2])


def ask(sock: socket.socket, path: str) -> None:
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


def test_a_server_with_a_worker_and_a_place_to_wait(servers: RealServers) -> None:
    """The second waits for the first; the third finds no room; work of 0 waits its turn, too."""
    target = limited(servers, workers=1, queue=1, overflow=503, speed=2)
    with connect(target) as first, connect(target) as second, connect(target) as third:
        ask(first, "/delay/2.0004")
        time.sleep(0.02)  # it is read before the others
        ask(second, "/ip")
        time.sleep(0.02)
        ask(third, "/delay/1")
        refused = third.recv(65_536)
        assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert f"X-Real-Server: {target[0]}:{target[1]}".encode() in refused
        assert timing(first.recv(65_536)) == (0, 1000.2)
        queued, work = timing(second.recv(65_536))
        assert 0 < queued <= 1000.2
        assert work == 0
        ask(third, "/delay/0")  # its connection was kept, and there is room again
        assert timing(third.recv(65_536)) == (0, 0)


def test_what_finds_the_queue_full_is_reset_if_asked_for(servers: RealServers) -> None:
    target = limited(servers, workers=1, queue=0, overflow=0)
    with connect(target) as first, connect(target) as second:
        ask(first, "/delay/1")
        time.sleep(0.02)
        ask(second, "/ip")
        with pytest.raises(ConnectionResetError):
            second.recv(1)
        assert timing(first.recv(65_536)) == (0, 1000)


def test_a_client_that_goes_leaves_its_work_to_the_server(servers: RealServers) -> None:
    target = limited(servers, workers=1)
    with connect(target) as gone:
        ask(gone, "/delay/1")
        time.sleep(0.02)
    with connect(target) as sock:
        ask(sock, "/ip")
        assert timing(sock.recv(65_536))[0] > 100


def test_requests_sent_ahead_take_their_turn_one_by_one(servers: RealServers) -> None:
    target = limited(servers, workers=8)
    lines = [f"GET /delay/{seconds} HTTP/1.1\r\n" for seconds in (0.02, 0, 0.01)]
    data = exchange(target, ("\r\n".join(lines) + "Connection: close\r\n\r\n").encode())
    answers = data.split(b"HTTP/1.1 200 OK")[1:]
    assert [timing(answer) for answer in answers] == [(0, 20), (0, 0), (0, 10)]


def test_without_a_capacity_nothing_is_said_of_queues(servers: RealServers) -> None:
    target = limited(servers, workers=1)
    assert "server-timing" in get(target, "/delay/0")[1]
    name = f"{target[0]}:{target[1]}"
    assert servers.tell(json.dumps({"limit": [name]})) == {"limited": [name]}
    assert "server-timing" not in get(target, "/delay/0")[1]


def test_a_server_that_comes_again_has_the_capacity_that_it_had(servers: RealServers) -> None:
    target = limited(servers, workers=1)
    name = f"{target[0]}:{target[1]}"
    with connect(target) as busy, connect(target) as waiting:
        ask(busy, "/delay/30")
        time.sleep(0.02)
        ask(waiting, "/delay/30")
        assert servers.tell(json.dumps({"kill": name})) == {"killed": name}
        assert servers.tell(json.dumps({"add": name})) == {"added": name}
    # And nothing of its work.
    assert get(target, "/delay/0")[1]["server-timing"] == "queue;dur=0.000, work;dur=0.000"


def test_they_tell_how_busy_they_are_without_being_asked() -> None:
    told, teller = socket.socketpair()
    with teller:
        servers = RealServers(tell_to=teller.fileno())
    with servers, told:
        servers.add()  # it has no capacity and nothing to tell
        host, port = limited(servers, workers=1, queue=1)
        assert servers.tell(json.dumps({"tell": 50})) == {"telling": 50}
        told.settimeout(TIMEOUT)
        with ExitStack() as stack:
            socks = [stack.enter_context(connect((host, port))) for _ in range(3)]
            for sock in socks:
                ask(sock, "/delay/0.2")
            answers = {sock.recv(65_536)[9:12] for sock in socks}
        assert answers == {b"200", b"503"}
        parser, last = OccupancyParser(), 0
        seen: list[ServerOccupancy] = []
        while not seen or seen[-1].busy or not seen[-1].requests:
            for t_ns, (server,) in parser.feed(told.recv(65_536)):
                assert last < t_ns <= time.monotonic_ns()
                last = t_ns
                seen.append(server)
    name = f"{host}:{port}"
    assert {(one.busy, one.queued) for one in seen} >= {(1, 1), (1, 0), (0, 0)}
    assert seen[-1] == ServerOccupancy(name, 0, 0, 2, 1, 400_000)
    assert [one.busy_us for one in seen] == sorted(one.busy_us for one in seen)


def test_who_is_told_nothing_can_not_be_promised_it(servers: RealServers) -> None:
    error = "nobody listens to what the servers tell"
    assert servers.tell(json.dumps({"tell": 50})) == {"error": error}

"""A run asks its sidecar for connections, hears of them on its own clock, and needs no other."""

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from ipvsload.experiment.clock import Seen
from ipvsload.experiment.finished_requests import FinishedRequests
from ipvsload.experiment.gevent_inbox import GeventInbox
from ipvsload.experiment.listed_connections import ListedConnections
from ipvsload.experiment.monotonic_clock import MonotonicClock
from ipvsload.experiment.sidecar_reader import SidecarReader
from ipvsload.ipvs.table import RealServer
from ipvsload.record.events import ListRead
from ipvsload.record.format import ListedConnection, NewConnections, Request
from ipvsload.testbed.base import ServiceUnderTest, Target

CLIENT, SERVER = "192.0.2.101", "198.51.100.11:80"
VIP = Target("tcp 192.0.2.80:80", "192.0.2.80", 80)


class Sidecar:
    """The other end of a pipe: says what a sidecar says, and knows what it was told."""

    def __init__(self, tells: bool) -> None:
        self.ours, self._theirs = socket.socketpair()
        self.ours.settimeout(10)
        self._clock = MonotonicClock()
        hello = {
            "ipvsload": "samples", "version": 1, "node": "lb1", "kernel": "6.1", "ipvs": "1.2.1",
            "hz": 10, "t": 5, "wall": 6, "server_columns": RealServer._fields,
        }  # fmt: skip
        self.say(hello | ({"tells_connections": True} if tells else {}))
        self.reader = SidecarReader(self._pipe(), self._clock)

    def _pipe(self) -> socket.socket:
        from gevent.socket import socket as gevent_socket

        pipe: socket.socket = gevent_socket(fileno=self._theirs.detach())
        return pipe

    def say(self, value: dict[str, object]) -> None:
        self.ours.sendall(json.dumps(value).encode() + b"\n")

    def heard(self) -> str:
        return self.ours.recv(1 << 16).decode()


@pytest.fixture(params=[True, False])
def sidecar(request: pytest.FixtureRequest) -> Iterator[Sidecar]:
    made = Sidecar(request.param)
    with closing(made.ours), closing(made.reader):
        yield made


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        (VIP, "192.0.2.80:80"),
        (Target("tcp [2001:db8::80]:80", "x", 80), "[2001:db8::80]:80"),
        (Target("tcp 192.0.2.80:0", "x", 8080), "192.0.2.80:8080"),
        (Target("fwmark 1", "192.0.2.80", 8080), ":8080"),
    ],
)
def test_it_is_asked_for_the_service_that_a_run_follows(target: Target, asked: str) -> None:
    made = Sidecar(tells=True)
    with closing(made.ours), closing(made.reader):
        made.reader.follow(1, target.key, lambda _: None, target)
        assert made.heard() == f"connections {asked}\n"
        made.reader.follow(1, target.key, None)
        assert made.heard() == "connections\n"


def test_one_of_an_earlier_version_is_not_asked(sidecar: Sidecar) -> None:
    reader = sidecar.reader
    reader.follow(1, VIP.key, lambda _: None, VIP)
    reader.close()
    assert (sidecar.heard() != "") == reader.tells_connections


def test_what_it_tells_is_of_the_run_and_on_its_clock() -> None:
    made = Sidecar(tells=True)
    inbox = GeventInbox(MonotonicClock())
    with closing(made.ours), closing(made.reader):
        made.reader.follow(7, VIP.key, inbox.put, VIP)
        made.say({"connections": [[CLIENT, 1025, SERVER, "SYN_RECV", 80]], "t": 90_000})
        made.say(
            {"connections_read": {"entries": 3, "began": 80_000, "source": "x", "why": "y"},
             "t": 95_000, "node": "lb2"}
        )  # fmt: skip
        news: list[Seen] = []
        deadline = inbox._clock.now_us() + 10_000_000
        while len(news) < 2 and inbox._clock.now_us() < deadline:
            got = inbox.get(deadline)
            assert isinstance(got, NewConnections | ListRead)
            news.append(got)
    connections, read = news
    zero = made.reader._clock.from_ns(0)
    row = ListedConnection(7, zero + 90, CLIENT, 1025, SERVER, "SYN_RECV")
    assert connections == NewConnections(7, (row,))
    assert read == ListRead(7, zero + 95, "lb2", zero + 80, 3, "x", "y")


def listed(balancer: str = "rr", key: str = VIP.key, told: bool = True) -> ListedConnections:
    service = ServiceUnderTest(Target(key, "x", 80), balancer, [(SERVER, 1)])
    return ListedConnections(service, told, lambda _: None)


def test_where_there_is_no_list_nobody_is_asked() -> None:
    assert listed().target
    assert [one.target for one in (listed(key=""), listed("iptables"), listed(told=False))] == [
        None,
        None,
        None,
    ]


def test_how_far_it_is_known_is_as_far_as_every_node_was_read() -> None:
    known = listed()
    assert known.known_until_us(["a"]) == -1
    known.read(ListRead(1, 9, "a", 5, 1, "x"))
    assert (known.known_until_us(["a"]), known.known_until_us("ab")) == (5, -1)
    known.read(ListRead(1, 9, "b", 3, 1, "x"))
    assert known.known_until_us("ab") == 3
    known.read(ListRead(1, 10, "b", 6, 1, "x", "it cannot be read"))
    assert (known.known_until_us("ab"), known.lacking) == (-1, True)


def test_servers_that_stand_at_port_0_have_the_tables_name() -> None:
    recorded: list[ListedConnection] = []
    service = ServiceUnderTest(VIP, "rr", [("198.51.100.11:0", 1)])
    row = ListedConnection(1, 2, CLIENT, 1025, SERVER, "NONE")
    ListedConnections(service, True, recorded.extend).add(NewConnections(1, (row,)))
    assert [one.server for one in recorded] == ["198.51.100.11:0"]


def test_what_is_listed_is_not_asked_for() -> None:
    recorded: list[Request] = []
    until_us = -1
    asked: list[Sequence[tuple[str, int]]] = []

    class Testbed:
        def connection_servers(self, clients: Sequence[tuple[str, int]]) -> None:
            asked.append(clients)

    requests = FinishedRequests(recorded.extend, Testbed(), lambda: until_us)  # type: ignore[arg-type]
    first, later = (
        Request(1, "it", at, at, 9, 0, 0, CLIENT, at, False, None, "timeout") for at in (1, 90)
    )
    requests.add([first, later])
    assert (recorded, requests.any_unnamed) == ([], True)
    until_us = 50
    requests.ask_now_and_then(60, lambda work: work())
    assert recorded == [first]
    # The list was not read any more: then the director is asked.
    requests.ask_for_all()
    assert recorded == [first, later]
    assert asked == [[(CLIENT, 90)]]

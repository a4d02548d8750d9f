"""What each scheduler does with a server that has vanished, or stands still: in the real kernel.

To IPVS a connection to a vanished server is SYN_RECV, which is active for a minute
(ip_vs_proto_tcp.c, tcp_states and tcp_timeouts). Each scheduler's course follows
from what it counts.
"""

import select
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from ipvsload.testbed.base import ServiceSpec, Target
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("fault-courses")]

CONNECTIONS = 12
_ANSWER = 0.1
"""Seconds that a connection is waited for: one that is given up stays SYN_RECV all the same."""


@pytest.fixture(scope="module")
def testbed() -> Iterator[LabTestbed]:
    with closing(LabTestbed(Topology(2, 1), kernel="auto")) as made:
        made.start()
        made.wait_ready()
        yield made


def connect_in_turn(testbed: LabTestbed, target: Target) -> list[str | None]:
    """The server that the kernel chose for each of CONNECTIONS that are open one after the other.

    Each is closed before the next begins, answered or not.
    """
    clients = []
    with closing(LabSockets(testbed.socket_broker)) as sockets:
        for _ in range(CONNECTIONS):
            plain, client, port = sockets.take()
            with socket.socket(fileno=plain.detach()) as sock:
                sock.connect_ex((target.host, target.port))
                select.select([], [sock], [], _ANSWER)
            clients.append((client, port))
    return testbed.connection_servers(clients)


@pytest.mark.parametrize(
    ("scheduler", "least", "most"),
    [
        ("rr", 6, 6),
        ("wrr", 6, 6),
        # The newest of equals first: one or two connections without an answer keep others away.
        ("lc", 1, 4),
        ("wlc", 1, 4),
        ("sed", 1, 4),
        ("nq", 1, 4),
        # More active connections than its weight of 1: then the other's turn.
        ("ovf", 2, 4),
        # The newest of equal weights, come what may.
        ("fo", 12, 12),
    ],
)
def test_a_vanished_server(testbed: LabTestbed, scheduler: str, least: int, most: int) -> None:
    service = testbed.begin(ServiceSpec(scheduler, (1, 1)))
    try:
        _, (newest, _) = service.servers
        testbed.fault_server(newest, "vanish")
        chosen = connect_in_turn(testbed, service.target)
        assert None not in chosen
        assert least <= chosen.count(newest) <= most
    finally:
        testbed.end()


def test_hashes_give_one_client_to_one_server_even_if_it_has_vanished(
    testbed: LabTestbed,
) -> None:
    for scheduler in ("sh", "mh"):
        service = testbed.begin(ServiceSpec(scheduler, (1, 1)))
        try:
            before = set(connect_in_turn(testbed, service.target))
            assert len(before) == 1
            (server,) = before
            assert server is not None
            testbed.fault_server(server, "vanish")
            assert set(connect_in_turn(testbed, service.target)) == before
        finally:
            testbed.end()


def test_who_gives_up_on_a_frozen_server_leaves_it_an_inactive_connection(
    testbed: LabTestbed,
) -> None:
    """The kernel of a frozen server still takes connections: nobody who counts them is warned."""
    for scheduler in ("rr", "lc"):
        service = testbed.begin(ServiceSpec(scheduler, (1, 1)))
        try:
            _, (newest, _) = service.servers
            testbed.fault_server(newest, "freeze")
            chosen = connect_in_turn(testbed, service.target)
            assert chosen.count(newest) == CONNECTIONS // 2
        finally:
            testbed.end()

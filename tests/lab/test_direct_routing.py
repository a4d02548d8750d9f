"""Replies past the director, through real kernels: whose a connection is, and what is counted."""

import socket
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.errors import UsageError
from ipvsload.ipvs.table import RealServer
from ipvsload.record.sidecar_stream import Message, Reading, Settings, SidecarParser
from ipvsload.testbed.base import ServiceSpec, Target
from ipvsload.testbed.lab.broker_client import plain_socket
from ipvsload.testbed.lab.direct_routing import neighbours, ruleset
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import MAX_HOSTS, Topology, client_address
from tests.lab.test_lab import DEADLINE


@given(st.integers(1, MAX_HOSTS))
def test_each_server_has_a_link_address_of_its_own(servers: int) -> None:
    topology = Topology(servers, direct=["dr"])
    known = neighbours(topology)
    assert list(known) == topology.server_hosts
    assert len(set(known.values())) == servers
    assert all(f"{mac} : {host}" in ruleset(topology) for host, mac in known.items())


def test_more_servers_than_addresses_are_refused_before_anything_starts() -> None:
    with pytest.raises(UsageError, match=r"dr: the lab has room for 238 real servers .* 239"):
        LabTestbed(Topology(servers=239, direct=["dr"]), kernel="auto")
    LabTestbed(Topology(servers=239), kernel="auto").close()


def opened(testbed: LabTestbed, target: Target, port: int, path: str) -> socket.socket:
    """A connection from this client port on which the path was asked for."""
    connection = plain_socket(testbed.socket_broker)
    connection.settimeout(DEADLINE)
    connection.bind((client_address(1), port))
    connection.connect((target.host, target.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return connection


def answered(connection: socket.socket) -> str:
    """The real server that answered; the connection is closed then."""
    with connection:
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    return answer.partition("X-Real-Server: ")[2].split()[0]


def table(testbed: LabTestbed, key: str) -> tuple[dict[str, RealServer], str | None]:
    """The real servers of the service and how it forwards, as the sidecar shows them first."""
    parser, messages = SidecarParser(), list[Message]()
    with closing(testbed.open_samples(10)) as pipe:
        while not any(isinstance(one, Reading) for one in messages):
            messages += parser.feed(pipe.recv(65536))
    [settings] = [one for one in messages if isinstance(one, Settings)]
    [service] = [s for one in messages if isinstance(one, Reading) for s in one.services
                 if s.key == key][:1]  # fmt: skip
    return {one.address: one for one in service.servers}, settings.forwardings.get(key)


@pytest.mark.kernel
@pytest.mark.parametrize("kernel", ["uml", "qemu"])
def test_each_connection_reaches_its_server_and_the_director_sees_half_of_it(kernel: str) -> None:
    ways = ["dr", "tun"]
    with closing(LabTestbed(Topology(servers=3, direct=ways), kernel=kernel)) as testbed:
        testbed.start()
        testbed.wait_ready()
        ports = iter(range(3000, 4000))
        for forwarding in (*ways, "masq"):
            service = testbed.begin(ServiceSpec("rr", (1, 1), forwarding=forwarding))
            names = [address for address, _ in service.servers]
            assert service.forwarding == forwarding
            used = [next(ports) for _ in range(6)]
            seen = [answered(opened(testbed, service.target, port, "/ip")) for port in used]
            assert sorted(seen) == sorted(names * 3)
            # In a tunnel there is less room for a packet, which the client has to be told.
            assert answered(opened(testbed, service.target, next(ports), "/ip?" + "x" * 4000))
            clients = [(client_address(1), port) for port in used]
            assert testbed.connection_servers(clients) == seen
            # The server has closed its half, and the client has not: only the one whose
            # replies pass the director knows.
            half = opened(testbed, service.target, next(ports), "/ip")
            while half.recv(4096):
                pass
            seen_now, told = table(testbed, service.target.key)
            active = sum(one.active for one in seen_now.values())
            assert (active, told) == ((0, None) if forwarding == "masq" else (1, forwarding))
            half.close()
            # A third joins, gets its turn, gets another weight, and the first is killed.
            third = testbed.add_server(1)
            used = [next(ports) for _ in range(6)]
            held = [opened(testbed, service.target, port, "/delay/60") for port in used]
            chosen = testbed.connection_servers([(client_address(1), port) for port in used])
            assert sorted(map(str, chosen)) == sorted([*names, third] * 2)
            testbed.set_weight(third, 0)
            testbed.fault_server(names[0], "kill")
            for connection, server in zip(held, chosen, strict=True):
                if server == names[0]:
                    with pytest.raises(ConnectionResetError):
                        connection.recv(1)
                else:
                    connection.setblocking(False)
                    with pytest.raises(BlockingIOError):
                        connection.recv(1)
                connection.close()
            testbed.remove_server(names[1])
            left, _ = table(testbed, service.target.key)
            assert set(left) == {names[0], third}
            assert left[third].weight == 0
            # Nobody tells the director of a reset that went past it.
            assert left[names[0]].active == (0 if forwarding == "masq" else 2)
            testbed.end()

"""Replies past the director, through real kernels: whose a connection is, and what is counted."""

import socket
from contextlib import closing
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.errors import UsageError
from ipvsload.ipvs.table import RealServer, VirtualService, by_address
from ipvsload.record.sidecar_stream import Reading, Settings, SidecarParser
from ipvsload.record.witness import PacketKind
from ipvsload.testbed.base import ServiceSpec, Target, WatchedPackets
from ipvsload.testbed.lab.addresses import IPV4, IPV6, PLANS
from ipvsload.testbed.lab.broker_client import plain_socket
from ipvsload.testbed.lab.direct_routing import neighbours, ruleset
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import MAX_HOSTS, Topology, client_address
from tests.patience import HUNG_AFTER_S


@given(st.integers(1, MAX_HOSTS), st.sampled_from(sorted(PLANS)))
def test_each_server_has_a_link_address_of_its_own(servers: int, family: str) -> None:
    topology = Topology(servers, direct=["dr"], family=family)
    known = neighbours(topology)
    assert list(known) == topology.server_hosts
    assert len(set(known.values())) == servers
    rules = ruleset(topology)
    assert all(f"{mac} : {host}" in rules for host, mac in known.items())


def test_more_servers_than_addresses_are_refused_before_anything_starts() -> None:
    with pytest.raises(UsageError, match=r"dr: the lab has room for 238 real servers .* 239"):
        LabTestbed(Topology(servers=239, direct=["dr"]), kernel="auto")
    LabTestbed(Topology(servers=239), kernel="auto").close()


NODES = ("director-1", "director-2")


def opened(testbed: LabTestbed, target: Target, port: int, path: str) -> socket.socket:
    """A connection from this client port on which the path was asked for."""
    ipv6 = ":" in target.host
    connection = plain_socket(testbed.socket_broker, ipv6=ipv6)
    connection.settimeout(HUNG_AFTER_S)
    client = client_address(1, IPV6 if ipv6 else IPV4)
    connection.bind((client, port))
    connection.connect((target.host, target.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return connection


def answered(connection: socket.socket) -> str:
    """The real server that answered; the connection is closed then."""
    with connection:
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    return answer.partition("X-Real-Server: ")[2].split()[0]


def table(testbed: LabTestbed, key: str) -> tuple[dict[str, RealServer], set[str | None]]:
    """The real servers of the service, of all directors together, and how these forward."""
    parser = SidecarParser()
    shown: dict[str, VirtualService] = {}
    told: dict[str, str | None] = {}
    with closing(testbed.open_samples(10)) as pipe:
        while set(shown) < set(NODES) or set(told) < set(NODES):
            for message in parser.feed(pipe.recv(65536)):
                if isinstance(message, Reading):
                    [shown[message.node]] = (s for s in message.services if s.key == key)
                elif isinstance(message, Settings):
                    told[message.node] = message.forwardings.get(key)
    servers = (server for service in shown.values() for server in service.servers)
    return by_address(servers), set(told.values())


def chosen_servers(seen: WatchedPackets) -> dict[tuple[str, int], str]:
    return {(p.client, p.port): p.server for p in seen.table if p.kind == PacketKind.CHOSEN}


def check_packets(
    seen: WatchedPackets, served: dict[tuple[str, int], str], forwarding: str
) -> None:
    """What packets say of connections that were closed by the server first, then by the client."""
    assert (seen.dropped, seen.why) == (0, "")
    times = [packet.t_ns for packet in seen.table]
    assert times == sorted(times)
    kinds = [PacketKind.ASKED, PacketKind.CHOSEN, PacketKind.CLIENT_FIN]
    if forwarding == "masq":  # else it goes past the director
        kinds.insert(2, PacketKind.SERVER_FIN)
    for connection, server in served.items():
        packets = [one for one in seen.table if (one.client, one.port) == connection]
        # On a busy machine a packet may be sent again.
        assert list(dict.fromkeys(one.kind for one in packets)) == kinds
        assert {one.server for one in packets if one.kind != PacketKind.ASKED} == {server}


@pytest.mark.kernel
@pytest.mark.parametrize(("kernel", "family"), [("uml", IPV4), ("qemu", IPV6)])
def test_each_connection_reaches_its_server_and_the_director_sees_half_of_it(
    kernel: str, family: str
) -> None:
    ways = ["dr", "tun"]
    lab = Topology(servers=3, directors=len(NODES), direct=ways, family=family)
    client = client_address(1, family)
    with closing(LabTestbed(lab, kernel=kernel)) as testbed:
        testbed.start()
        testbed.wait_ready()
        ports = chain.from_iterable(zip(*lab.director_ports, strict=False))
        for forwarding in (*ways, "masq"):
            service = testbed.begin(ServiceSpec("rr", (1, 1), forwarding=forwarding))
            assert testbed.packet_watch
            testbed.packet_watch.begin(service)
            names = [address for address, _ in service.servers]
            assert service.forwarding == forwarding
            used = [next(ports) for _ in range(8)]
            seen = [answered(opened(testbed, service.target, port, "/ip")) for port in used]
            assert sorted(seen) == sorted(names * 4)
            # In a tunnel there is less room for a packet.
            assert answered(opened(testbed, service.target, next(ports), "/ip?" + "x" * 4000))
            clients = [(client, port) for port in used]
            assert testbed.connection_servers(clients) == seen
            # The server has closed its half, and the client has not: only the one whose
            # replies pass the director knows.
            half = opened(testbed, service.target, next(ports), "/ip")
            while half.recv(4096):
                pass
            seen_now, told = table(testbed, service.target.key)
            active = sum(one.active for one in seen_now.values())
            assert (active, told) == ((0, {None}) if forwarding == "masq" else (1, {forwarding}))
            half.close()
            # A third joins, gets its turn, gets another weight, and the first is killed.
            third = testbed.add_server(1)
            used = [next(ports) for _ in range(6)]
            held = [opened(testbed, service.target, port, "/delay/60") for port in used]
            chosen = testbed.connection_servers([(client, port) for port in used])
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
            seen_packets = testbed.packet_watch.end()
            check_packets(seen_packets, dict(zip(clients, seen, strict=True)), forwarding)
            chosen_by_packets = chosen_servers(seen_packets)
            assert [chosen_by_packets[client, port] for port in used] == chosen
            assert len(chosen_by_packets) == 8 + 1 + 1 + 6
            reset = {p.server for p in seen_packets.table if p.kind == PacketKind.SERVER_RST}
            assert reset == ({names[0]} if forwarding == "masq" else set())
            testbed.end()

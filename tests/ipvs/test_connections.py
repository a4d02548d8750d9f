"""/proc/net/ip_vs_conn: which lines are read, what is made of them, and what is counted."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.connections import (
    ConnectionEntry,
    ConnectionTally,
    chosen_servers,
    read_connections,
)
from ipvsload.ipvs.keys import Endpoint, join_endpoint

HEADING = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData"
CONNECTIONS = f"""\
{HEADING}
TCP C0000265 0800 C0000250 0050 C633640B 0050 CLOSE             8
TCP C0000265 0801 C0000250 0050 C633640C 0051 TIME_WAIT       118
TCP C0000265 0802 C0000250 0051 C633640B 0050 TIME_WAIT       110
"""
# One client, of a persistent service, that asked over both protocols.
PERSISTENT = f"""\
{HEADING}
TCP C0000201 0000 C0000250 0050 C6336412 0050 NONE            294
TCP C0000201 8A32 C0000250 0050 C6336412 0050 ESTABLISHED     884
UDP C0000201 8A32 C0000250 0050 C6336412 0050 UDP             284
"""
NODE = f"""\
{HEADING}
TCP C0000265 C350 C0000250 0050 C633640B 0050 ESTABLISHED     899
TCP C0000265 C351 C0000250 0050 C633640C 0050 TIME_WAIT       119
UDP C0000265 C351 C0000250 0035 C633640C 0035 UDP             299
"""


def test_the_kernels_table_says_whom_a_connection_was_given_to() -> None:
    clients = [("192.0.2.101", port) for port in (0x801, 0x800, 0x802, 0x900)]
    lines = CONNECTIONS.splitlines()
    assert chosen_servers(lines, "192.0.2.80", 80, clients) == [
        "198.51.100.12:81",
        "198.51.100.11:80",
        None,  # of another service
        None,  # forgotten
    ]
    asked_as_json = [list(client) for client in clients[:1]]
    # JSON has lists for tuples.
    assert chosen_servers(lines, "192.0.2.80", 80, asked_as_json) == ["198.51.100.12:81"]  # type: ignore[arg-type]


def test_connections_are_counted_once() -> None:
    tally = ConnectionTally()
    lines = NODE.splitlines()
    assert len(tally.update(read_connections(lines))) == 3
    assert tally.update(read_connections(lines)) == []
    assert tally.count("tcp", ("192.0.2.80", 80), ("198.51.100.11", 80)) == 1
    assert tally.update(read_connections(lines[:1])) == []
    assert len(tally.update(read_connections(lines))) == 3  # the ports came round again


def test_a_persistence_template_is_no_connection_and_protocols_are_counted_apart() -> None:
    tally = ConnectionTally()
    tally.update(read_connections(PERSISTENT.splitlines()))
    virtual, server = ("192.0.2.80", 80), ("198.51.100.18", 80)
    assert (tally.count("tcp", virtual, server), tally.count("udp", virtual, server)) == (1, 1)


def word(address: str) -> str:
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        return found.exploded
    return f"{int(found):08X}"


def line(one: ConnectionEntry) -> str:
    ends = " ".join(f"{word(host)} {port:04X}" for host, port in one[1:])
    return f"{one.protocol.upper():<3} {ends} ESTABLISHED     899\n"


hosts = st.sampled_from([IPv4Address("192.0.2.1"), IPv4Address("192.0.2.80"), IPv6Address("fd::7")])
endpoints = st.tuples(hosts.map(str), st.integers(1, 3))
connections = st.lists(
    st.builds(ConnectionEntry, st.sampled_from(["tcp", "udp"]), endpoints, endpoints, endpoints)
)


@given(connections, st.lists(endpoints), st.lists(endpoints), st.sets(st.integers(1, 3)))
def test_choosing_by_words_is_choosing_by_addresses(
    table: list[ConnectionEntry], services: list[Endpoint], clients: list[Endpoint], ports: set[int]
) -> None:
    lines = [HEADING, *map(line, table)]
    assert list(read_connections(lines)) == table
    any_host = [("", port) for port in ports]
    assert list(read_connections(lines, [*services, *any_host], clients)) == [
        one
        for one in table
        if (one.virtual in services or one.virtual[1] in ports) and one.client in clients
    ]
    for host, port in services:
        to_it = [one for one in table if (one.protocol, one.virtual) == ("tcp", (host, port))]
        last = {one.client: one.server for one in to_it}
        assert chosen_servers(lines, host, port, clients) == [
            join_endpoint(*last[client]) if client in last else None for client in clients
        ]

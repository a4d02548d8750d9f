"""A service's lines in any piece of the table, each connection once, whatever comes and goes."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.connection_lines import (
    ConnectionLine,
    ServiceLines,
    ToldConnections,
    connection_row,
)
from ipvsload.ipvs.connections import read_connections
from ipvsload.ipvs.keys import Endpoint, join_endpoint

HEADING = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"

hosts = st.sampled_from([IPv4Address("192.0.2.1"), IPv4Address("192.0.2.80"), IPv6Address("fd::7")])
endpoints = st.tuples(hosts.map(str), st.integers(0, 3))
states = st.sampled_from(["ESTABLISHED", "TIME_WAIT", "NONE"])


def word(address: str) -> str:
    """As the kernel writes it (%pI6 and %08X)."""
    found = ip_address(address)
    return found.exploded if isinstance(found, IPv6Address) else f"{int(found):08X}"


@st.composite
def lines(draw: st.DrawFn) -> str:
    ends = " ".join(f"{word(host)} {port:04X}" for host, port in draw(st.tuples(*[endpoints] * 3)))
    data = draw(st.sampled_from(["", " sip call-id"]))
    protocol = draw(st.sampled_from(["TCP", "UDP"]))
    return f"{protocol} {ends} {draw(states):<11} {draw(st.integers(0, 900)):7}{data}\n"


@given(st.lists(lines()), st.lists(endpoints, min_size=1), st.sets(st.integers(1, 3)))
def test_choosing_by_a_pattern_is_choosing_by_words(
    table: list[str], services: list[Endpoint], ports: set[int]
) -> None:
    wanted = [*services, *(("", port) for port in ports)]
    found = ServiceLines(wanted).find((HEADING + "".join(table)).encode())
    by_words = [one for one in read_connections(table, wanted) if one.protocol == "tcp"]
    assert [connection_row(line)[:3] for line in found] == [
        (*one.client, join_endpoint(*one.server)) for one in by_words
    ]
    assert [connection_row(line)[4] for line in found] == [one.virtual[1] for one in by_words]


Table = list[ConnectionLine]
tables = st.lists(
    st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([b"1", b"2"]), st.just(b"")),
    max_size=5,
)


@given(st.lists(tables, max_size=6), st.data())
def test_each_connection_is_told_once_however_the_table_is_cut(
    readings: list[Table], data: st.DataObject
) -> None:
    told = ToldConnections()
    before: list[dict[bytes, bytes]] = [{}, {}]
    for table in readings:
        cut = data.draw(st.integers(0, len(table)))
        new = told.take(table[:cut]) + told.take(table[cut:])
        told.end_reading()
        now = {ends: server for ends, server, _ in reversed(table)}  # the first one counts
        older, last = before[-2:]
        assert {ends: server for ends, server, _ in new} == {
            ends: server
            for ends, server in now.items()
            if last.get(ends, older.get(ends)) != server
        }
        assert len({ends for ends, _, _ in new}) == len(new)
        before.append(now)


def test_one_that_was_gone_for_two_readings_is_another() -> None:
    told, line = ToldConnections(), (b"a", b"1", b"ESTABLISHED")
    seen = []
    for there in (True, True, False, True, False, False, True):
        seen.append(told.take([line] if there else []))
        told.end_reading()
    assert seen == [[line], [], [], [], [], [], [line]]

"""The join of requests and the director's list of connections: what it says is so."""

import random
from dataclasses import dataclass, field
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.record import connection_join
from ipvsload.record.connection_join import (
    GIVEN_TO_NONE,
    NOT_CERTAIN,
    KernelServers,
    WholeReading,
)
from ipvsload.record.connection_table import ConnectionTable
from ipvsload.record.format import ListedConnection, Request
from ipvsload.record.request_table import RequestTable

CLIENT, OTHER = "192.0.2.101", "192.0.2.102"
ONE, TWO = "198.51.100.11:80", "198.51.100.12:80"
MS, S = 1_000, 1_000_000


def request(
    start_us: int,
    end_us: int,
    port: int = 1_025,
    *,
    client: str = CLIENT,
    reused: bool = False,
    error: str | None = None,
    retried: int = 0,
) -> Request:
    return Request(
        1, "it", start_us, start_us, end_us - start_us, 0 if error else 200, 0, client, port,
        reused, None, error, retried=retried,
    )  # fmt: skip


def row(t_us: int, server: str, port: int = 1_025, client: str = CLIENT) -> ListedConnection:
    return ListedConnection(1, t_us, client, port, server, "ESTABLISHED")


def reading(began_us: int, t_us: int, node: str = "lb1") -> WholeReading:
    return WholeReading(node, began_us, t_us)


def servers(
    requests: list[Request],
    rows: list[ListedConnection],
    readings: list[WholeReading],
    slack_us: int = 0,
    *,
    follows: bool = False,
) -> list[str | None]:
    """What the join says of each request: a server, "" for none, None where it is not certain."""
    table = RequestTable.of(1, requests)
    known = KernelServers(table, ConnectionTable.of(1, rows), readings, slack_us, follows=follows)
    names: dict[int, str | None] = dict(enumerate(known.servers))
    names |= {NOT_CERTAIN: None, GIVEN_TO_NONE: ""}
    return [names[one] for block in table.blocks() for one in known.of(block).tolist()]


def test_every_request_of_a_kept_connection_has_its_server() -> None:
    asked = [
        request(1 * S, 1 * S + 9),
        request(2 * S, 2 * S + 9, reused=True),
        request(2 * S, 2 * S + 9, client=OTHER),
        request(30 * S, 30 * S + 9, reused=True),
        request(31 * S, 31 * S + 9, port=0, error="no port"),
        request(31 * S, 31 * S + 9, port=1_026, reused=True),
    ]
    rows = [row(1_500 * MS, ONE), row(2_500 * MS, TWO, client=OTHER), row(3 * S, TWO, client="x")]
    assert servers(asked, rows, []) == [ONE, ONE, TWO, ONE, None, None]


def test_a_port_that_comes_again_is_another_connection() -> None:
    asked = [request(n * S, n * S + 9) for n in (1, 3, 5, 7)]
    rows = [row(1_500 * MS, ONE), row(3_500 * MS, TWO)]
    # Nothing new of the third was told, and the list was read: it has the same server.
    readings = [reading(n * S + 100, n * S + 900 * MS) for n in (1, 3, 5)]
    assert servers(asked, rows, readings) == [ONE, TWO, TWO, None]
    assert servers(asked, rows, []) == [ONE, TWO, None, None]
    # It came again before the list was read.
    late = [*readings[:2], reading(5 * S + 100, 7 * S + 1)]
    assert servers(asked, rows, late) == [ONE, TWO, None, None]


def test_a_port_that_follows_has_its_server_as_long_as_the_kernel_keeps_the_entry() -> None:
    asked = [
        request(S, S + 9),
        request(2 * S, 2 * S + 9, error="refused"),  # of it the kernel keeps the entry for 10 s
        request(11 * S, 11 * S + 9),
        request(70 * S, 70 * S + 9, error="refused"),
        request(81 * S, 81 * S + 9, error="refused"),
        request(82 * S, 82 * S + 9, error="refused"),
    ]
    rows = [row(1_500 * MS, ONE)]
    assert servers(asked, rows, []) == [ONE, None, None, None, None, None]
    assert servers(asked, rows, [], follows=True) == [ONE, ONE, ONE, ONE, None, None]
    other = [row(1_500 * MS, ONE, port=1_026), row(1_500 * MS, ONE, client=OTHER)]
    assert servers(asked, other, [], follows=True) == [None] * 6
    # What is told late is of those before, too; but the last two may have been given to none.
    late = [row(70 * S + 100, ONE), row(82_500 * MS, TWO)]
    assert servers(asked, late, [], follows=True) == [ONE, ONE, ONE, ONE, None, None]


def test_what_was_told_before_the_answer_may_be_of_the_connection_before() -> None:
    asked = [request(1 * S, 1 * S + 9), request(2 * S, 2_400 * MS)]
    assert servers(asked, [row(2_200 * MS, ONE)], []) == [None, None]
    assert servers(asked, [row(2_500 * MS, ONE)], []) == [None, ONE]
    assert servers(asked, [row(1_900 * MS, TWO), row(2_200 * MS, ONE)], []) == [TWO, ONE]
    # One that was given to none leaves the entry of the one before.
    asked[1:] = [request(2 * S, 2_400 * MS, error="reset")]
    assert servers(asked, [row(2_500 * MS, ONE)], []) == [None, None]
    assert servers(asked, [row(1_900 * MS, TWO), row(2_500 * MS, ONE)], []) == [TWO, ONE]


def test_a_connection_that_was_opened_late_is_not_taken_for_the_next_one_of_its_port() -> None:
    asked = [request(1 * S, 9 * S, retried=1), request(3 * S, 4 * S)]
    assert servers(asked, [row(3_500 * MS, ONE), row(8_500 * MS, TWO)], []) == [None, None]
    assert servers(asked[:1], [row(8_500 * MS, TWO)], []) == [TWO]


def test_whom_the_director_gave_to_none_is_known_where_the_list_was_read_in_time() -> None:
    refused = [request(S, S + 9, error="refused")]
    assert servers(refused, [], [reading(2 * S, 3 * S)]) == [""]
    assert servers(refused, [], [reading(9 * S, 12 * S)]) == [None]
    assert servers(refused, [], []) == [None]
    # An answer came from somewhere; and an old entry may be there still.
    assert servers([request(S, S + 9)], [], [reading(2 * S, 3 * S)]) == [None]
    assert servers(refused, [row(S // 2, ONE)], [reading(2 * S, 3 * S)]) == [None]
    # Of two directors either may have had it.
    assert servers(refused, [], [reading(2 * S, 3 * S), reading(0, S, "lb2")]) == [None]


def test_a_directors_clock_may_be_wrong() -> None:
    asked = [request(2 * S, 2 * S + 9)]
    assert servers(asked, [row(2 * S - 5, ONE)], []) == [None]
    assert servers(asked, [row(2 * S - 5, ONE)], [], slack_us=5) == [ONE]


def test_without_requests_or_rows_nothing_is_known() -> None:
    assert servers([], [row(S, ONE)], []) == []
    assert servers([request(S, S + 9, reused=True)], [row(2 * S, ONE)], []) == [None]


def test_times_of_any_length_have_room() -> None:
    day = 86_400 * S
    asked = [
        request(day * n + n, day * n + n + 9, port=65_535, client=f"client {n}")
        for n in range(1, 400)
    ]
    rows = [row(one.start_us + S, f"{one.start_us}", one.port, one.client) for one in asked]
    assert servers(asked, rows, []) == [f"{one.start_us}" for one in asked]


@dataclass
class Director:
    """One director, whose list has an entry for a port, and somebody who reads it.

    It is as sidecar/connection_reader.py has it: an entry that lacks in two readings is gone.
    """

    chance: random.Random
    entries: dict[int, tuple[str, int]] = field(default_factory=dict)
    """By port: the server, and when the entry goes."""
    last: dict[int, str] = field(default_factory=dict)
    older: dict[int, str] = field(default_factory=dict)
    rows: list[ListedConnection] = field(default_factory=list)
    readings: list[WholeReading] = field(default_factory=list)
    began_us: int = -1

    def read(self, ports: list[int], begin_us: int, end_us: int) -> dict[int, str]:
        """What is there between the two times, each port at the end."""
        now = {
            port: self.entries[port][0]
            for port in ports
            if port in self.entries and self.entries[port][1] > end_us
        }
        for port, server in now.items():
            if server != (self.last.get(port) or self.older.get(port)):
                t_us = end_us + self.chance.randrange(50 * MS)
                self.rows.append(row(t_us, server, port))
        self.older, self.last = self.last, now
        if self.began_us >= 0:
            self.readings.append(reading(self.began_us, end_us + 50 * MS))
        self.began_us = begin_us
        return now


@settings(max_examples=200)
@given(st.integers(0, 1 << 32), st.integers(1, 3), st.sampled_from([0.3, 3.0, 40.0, 200.0]))
def test_what_the_join_says_is_so(seed: int, ports: int, mean_gap_s: float) -> None:
    chance = random.Random(seed)
    director = Director(chance)
    events: list[tuple[int, int, str, int]] = []
    asked: list[Request] = []
    truth: list[str] = []
    for port in range(1_025, 1_025 + ports):
        now = chance.randrange(S)
        for _ in range(6):
            answered = chance.random() < 0.8
            server = chance.choice([ONE, TWO] if answered else [ONE, TWO, ""])
            end = now + chance.randrange(1, 2 * S)
            life = chance.randrange(60 * S, 120 * S) if answered else 10 * S
            asked.append(request(now, end, port, error=None if answered else "reset"))
            truth.append(server)
            if server:
                events.append((chance.randrange(now, end), port, server, end + life))
            now = end + 1 + round(chance.expovariate(1 / mean_gap_s) * S)
    begin, until = 0, max(one.start_us for one in asked) + 20 * S
    while begin < until:
        took = chance.randrange(1, 200 * MS)
        events.append((begin + took, 0, str(begin), 0))
        begin += took + chance.randrange(3 * S)
    for t_us, port, told, goes_us in sorted(events):
        if port:
            director.entries[port] = told, goes_us
        else:
            director.read(list(range(1_025, 1_025 + ports)), int(told), t_us)
    said = servers(asked, director.rows, director.readings)
    wrong = [
        (one, kernel, real)
        for one, kernel, real in zip(asked, said, truth, strict=True)
        if kernel not in (None, real)
    ]
    assert not wrong
    with mock.patch.object(connection_join, "_AT_ONCE", chance.randrange(1, 5)):
        assert servers(asked, director.rows, director.readings) == said
    if mean_gap_s == 200.0 and all(one.error is None for one in asked):
        gaps = np.diff([one.start_us for one in asked if one.port == 1_025])
        if min(gaps) > 10 * S:
            assert said[:6] == truth[:6]

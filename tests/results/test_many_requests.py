"""More requests than are looked at together: counted as if each had been looked at alone."""

import random
from collections import Counter

import pytest

from ipvsload.record.format import Request
from ipvsload.record.request_table import RequestTable
from ipvsload.results.explanations.opened_connections import OpenedConnections
from ipvsload.results.ports_again import REMEMBERED_S, ports_again
from ipvsload.results.request_counts import RequestCounts
from ipvsload.results.sent_requests import SentRequests
from ipvsload.statistics.percentiles import percentile

SERVERS = ("198.51.100.11:80", "198.51.100.12:80", None)


@pytest.fixture(scope="module")
def sent() -> list[Request]:
    """In the order of their ends; ports come again, some of them soon."""
    draw = random.Random(1)
    now, found = 0, []
    for number in range(80_000):
        now += draw.randrange(10_000)
        latency = draw.randrange(1, 5_000)
        failed = draw.random() < 0.01
        found.append(
            Request(
                1, draw.choice(("short", "long")), now, now + draw.randrange(3), latency,
                0 if failed else 200, 9, f"203.0.113.{number % 24_000 % 3}", 1024 + number % 24_000,
                False, draw.choice(SERVERS), "reset" if failed else None, queue_us=latency // 2,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: one.planned_us + one.latency_us)


@pytest.fixture(scope="module")
def table(sent: list[Request]) -> RequestTable:
    found = RequestTable.of(1, sent)
    assert len(list(found.blocks())) > 1
    return found


def test_counts_and_latencies(sent: list[Request], table: RequestTable) -> None:
    counts = RequestCounts(table)
    answered = [one for one in sent if not one.failed]
    assert counts.failures() == len(sent) - len(answered)
    assert counts.opened == Counter(one.server for one in sent)
    mine = sorted(one.latency_us for one in answered if one.server == SERVERS[0])
    assert list(counts.latencies(None, SERVERS[0])) == mine
    assert list(counts.queue_times("long")) == sorted(
        one.queue_us or 0 for one in answered if one.traffic == "long"
    )
    slowest = sorted((one.latency_us for one in answered if one.traffic == "long"), reverse=True)
    slowest = slowest[: round(len(slowest) * 0.05)]
    parts = counts.parts_ms["long"]["slowest"]
    assert sum(parts.values()) == pytest.approx(sum(slowest) / len(slowest) / 1000)
    assert counts.last_us == table.last_end_us == sent[-1].planned_us + sent[-1].latency_us


def test_ports_that_come_again(sent: list[Request], table: RequestTable) -> None:
    last: dict[tuple[str, int], int] = {}
    again = 0
    for one in sorted(sent, key=lambda one: one.start_us):
        source = one.client, one.port
        again += one.start_us - last.get(source, -(10**12)) < REMEMBERED_S * 1e6
        last[source] = one.start_us + one.latency_us
    assert 0 < again < len(sent) / 2
    assert ports_again(table) == again


def test_how_often_clients_change_servers(sent: list[Request], table: RequestTable) -> None:
    chosen: dict[str, list[str]] = {}
    for one in sorted(sent, key=lambda one: one.start_us):
        servers = chosen.setdefault(one.client, [])
        if one.server and servers[-1:] != [one.server]:
            servers.append(one.server)
    opened = OpenedConnections(table)
    assert opened.most_changes == max(map(len, chosen.values())) - 1
    assert (len(opened), opened.clients) == (len(sent), set(chosen))


def test_an_open_class_as_it_was_sent(sent: list[Request], table: RequestTable) -> None:
    begins = [0, sent[50_000].planned_us]
    short = SentRequests(table, "short", begins)
    mine = sorted((one for one in sent if one.traffic == "short"), key=lambda one: one.planned_us)
    assert len(short) == len(mine)
    assert short.latencies().tolist() == [one.latency_us for one in mine if not one.failed]
    (first, second), started = short.times()
    assert first.tolist() == [one.planned_us for one in mine if one.planned_us < begins[1]]
    assert second.tolist() == [
        one.planned_us - begins[1] for one in mine if one.planned_us >= begins[1]
    ]
    late = sorted(one.start_us - one.planned_us for one in mine)
    assert percentile(short.waits().late, 99) == percentile(late, 99)
    assert sum(map(len, started)) == len(mine)

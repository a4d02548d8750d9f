"""Of many servers those are shown one by one that differ most, and each has one colour."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.record.reader import Recording
from ipvsload.record.request_table import RequestTable
from ipvsload.report.figure_rows import figure_rows
from ipvsload.report.first_look import first_look
from ipvsload.report.html import html_report
from ipvsload.report.html.split_bars import split_bar
from ipvsload.report.shown_servers import shown_servers
from ipvsload.report.wording import weights
from ipvsload.results.results import SchedulerSummary, ServerSummary
from ipvsload.statistics.median_range import MedianRange
from tests.report.rendering import printed, results
from tests.skew_recording import ONE, TWO

UNUSUAL = {17: 900, 400: 0, 998: 1}


def one(value: float) -> MedianRange:
    return MedianRange(value, value, value)


def column(scheduler: str, connections: dict[int, int], count: int = 1000) -> SchedulerSummary:
    """Servers with 9 or 10 connections each, but for those that are named."""
    servers = tuple(
        ServerSummary(n, one(connections.get(n, 9 + n % 2)), one(1), one(0), {}, {}, {}, {})
        for n in range(1, count + 1)
    )
    return SchedulerSummary(scheduler, scheduler, 1, 1, servers, {})


def test_few_servers_are_all_shown() -> None:
    assert shown_servers([column("rr", {2: 900}, count=6)]) == (1, 2, 3, 4, 5, 6)
    assert shown_servers([]) == ()


def test_of_many_the_outliers_are_shown_whatever_their_numbers() -> None:
    columns = [column("rr", {}), column("lc", UNUSUAL)]
    # Of servers that are equally far out the first ones fill the rows.
    assert shown_servers(columns) == (1, 2, 17, 400, 998)
    assert shown_servers(columns) == shown_servers(columns[::-1])


def test_a_server_that_fails_is_an_outlier() -> None:
    found = column("rr", UNUSUAL)
    servers = list(found.servers)
    servers[499] = replace(servers[499], failures={"short": one(3)})
    for i, server in enumerate(servers):
        if not server.failures:
            servers[i] = replace(server, failures={"short": one(0)})
    traffic = {"short": None}
    changed = replace(found, servers=tuple(servers), traffic=traffic)  # type: ignore[arg-type]
    assert 500 in shown_servers([changed])


def test_what_chance_does_to_a_count_is_not_far_out() -> None:
    # Under rr a split is exact, so two more stand out by the middle half alone.
    exact = column("rr", dict.fromkeys(range(1, 1001), 10) | {5: 12, 6: 8})
    spread = column("wrr", {n: 2 + 16 * (n % 2) for n in range(1, 1001)} | UNUSUAL | {700: 60})
    assert {17, 700} <= set(shown_servers([exact, spread]))


def test_rows_of_the_rest_are_a_range() -> None:
    columns = [column("lc", UNUSUAL)]
    rows = figure_rows(columns, {})
    assert [row.server for row in rows if row.server] == [1, 2, 17, 400, 998]
    rest = rows[next(i for i, row in enumerate(rows) if row.label == "995 more servers") :]
    assert [row.cells for row in rest if row.label == "connections"] == [("9 to 10",)]


def test_on_the_terminal_many_servers_are_a_range_with_the_outliers_named() -> None:
    rows = first_look([column("rr", {}), column("lc", UNUSUAL)], {})
    assert (rows[0].label, rows[0].remark) == (
        "1000 servers",
        "least to most; farthest out: 1, 2, 17, 400, 998",
    )
    assert [(row.label, row.cells) for row in rows[1:]] == [
        ("connections", ("9 to 10", "0 to 900")),
        ("active at most", ("1", "1")),
    ]


def test_on_the_terminal_a_few_servers_stand_in_one_row() -> None:
    found = column("lc", {2: 900}, count=4)
    servers = [
        replace(s, share={"short": one(s.number / 10)}, weights=((s.number,),))
        for s in found.servers
    ]
    traffic = {"short": None}
    changed = replace(found, servers=tuple(servers), traffic=traffic)  # type: ignore[arg-type]
    rows = first_look([changed, column("rr", {}, count=3)], {})
    cells = {row.label: row.cells for row in rows if row.cells}
    at = [row.label for row in rows].index("servers 1 2 3 4")
    assert [row.label for row in rows[at + 1 :]] == list(cells)[-4:]
    assert cells["weight"][0] == "1; 2; 3; 4"
    assert cells["connections"] == ("10 900 10 9", "10 9 10 \u2013")
    assert cells["short requests"] == ("10 20 30 40 %", "\u2013")
    assert cells["active at most"] == ("1 1 1 1", "1 1 1 \u2013")


@pytest.mark.parametrize(
    ("courses", "text"),
    [
        ([(3,)], "3"),
        ([(1, 0)], "1, then 0"),
        ([(1, 0), (1,)], "1, then 0 or 1"),
        ([(1, 2, 3, 4, 5)], "1 \u2026 5 (5 weights)"),
        ([()], "\u2013"),
        ([], "\u2013"),
    ],
)
def test_weights_in_words(courses: list[tuple[int, ...]], text: str) -> None:
    assert weights(courses) == text


@pytest.fixture
def drained(recording: Recording) -> Recording:
    """The second server had weight 3, and 0 from the middle of the run on."""
    run = replace(recording.runs[0])
    run.samples = [
        replace(
            sample,
            services=tuple(
                service._replace(
                    servers=tuple(
                        s._replace(weight=(3 if i < 40 else 0) if s.address == TWO else 1)
                        for s in service.servers
                    )
                )
                for service in sample.services
            ),
        )
        for i, sample in enumerate(run.samples)
    ]
    return replace(recording, runs=(run,))


def test_weights_stand_beside_the_shares(drained: Recording) -> None:
    found = results(drained)
    assert [(s.address, s.weights) for s in found.runs[0].servers] == [(ONE, (1,)), (TWO, (3, 0))]
    assert re.search(r"server 2 .*\n +weight +\| +3, then 0\n +connections", printed(found))
    labels = [s.label for s in split_bar(found.schedulers[0], "short", {}).segments]
    assert labels == ["server 1, weight 1", "server 2, weight 3, then 0"]


def test_a_server_has_one_colour_in_bars_charts_and_tables(recording: Recording) -> None:
    page = html_report.render(results(recording), recording)
    for number, colour in ((1, "--s0"), (2, "--s1")):
        found = re.findall(
            rf"--k: var\((--\w+)\)[^>]*>(?:<i></i>|</i>|<b>\d+</b> <em>)?server {number}\b", page
        )
        assert len(found) >= 2 * 2 + 2 + 1
        assert set(found) == {colour}


def test_of_many_servers_the_coloured_ones_are_those_of_the_table(
    recording: Recording, tmp_path: Path
) -> None:
    run = recording.runs[0]
    (service,) = run.samples[-1].services
    addresses = [f"10.0.{i // 250}.{i % 250}:80" for i in range(1000)]
    servers = tuple(
        service.servers[0]._replace(address=a, active=1, conns=UNUSUAL.get(i, 9))
        for i, a in enumerate(addresses, 1)
    )
    big = replace(run)
    big.samples = [
        replace(s, services=(service._replace(servers=servers),)) for s in run.samples[::10]
    ]
    big.events = [e for e in run.events if e.kind != "joined"]
    big.requests = RequestTable.of(1, [])
    changed = replace(recording, runs=(big,))
    page = html_report.render(results(changed), changed)
    table = page[page.index('<table class="figures">') :]
    rows = re.findall(r"--k: var\((--\w+)\)\"></i>(server \d+)", table)
    assert [name for _, name in rows] == [f"server {n}" for n in (1, 2, 17, 400, 998)]
    charts = page[page.index("Each run in detail") : page.index('<table class="figures">')]
    legend = re.findall(r"--k: var\((--s\d)\)\"><i></i>(server \d+)", charts)
    assert legend[:5] == rows

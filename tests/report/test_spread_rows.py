"""Rows of how servers were used and of changes: there where they say something, and only there."""

from dataclasses import replace

import pytest

from ipvsload.record.reader import read
from ipvsload.report.figure_rows import figure_rows
from ipvsload.report.spread_rows import change_rows, evenness_rows, latency_rows, share_row
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import SchedulerSummary
from ipvsload.results.spread_summary import ChangeSummary, JoinedSummary, SpreadSummary
from ipvsload.scenario.load import parse_scenario
from ipvsload.statistics.median_range import MedianRange
from tests.skew_recording import SCENARIO, write_skew


@pytest.fixture(scope="module")
def skewed(tmp_path_factory: pytest.TempPathFactory) -> tuple[SchedulerSummary, ...]:
    directory = write_skew(tmp_path_factory.mktemp("skew") / "run")
    return evaluate(read(directory), parse_scenario(SCENARIO, "t.yaml")).schedulers


def one(value: float) -> MedianRange:
    return MedianRange(value, value, value)


def with_spread(column: SchedulerSummary, **spread: object) -> list[SchedulerSummary]:
    return [replace(column, spread=SpreadSummary(**spread))]  # type: ignore[arg-type]


def test_of_the_skew(skewed: tuple[SchedulerSummary, ...]) -> None:
    assert dict(evenness_rows(skewed)) == {
        "off a weight's share": ["0 %", "45 %"],
        "active connections: Jain's index": ["0.50", "0.50"],
        "active connections: greatest/mean": ["2.00", "1.99"],
    }
    assert dict(change_rows(skewed)) == {
        "server 2: first request": ["0.18 s", "0.18 s"],
        "server 2: has its share": ["never", "never"],
    }
    second = [column.servers[1] for column in skewed]
    assert list(share_row(second, skewed)) == [
        ("share (by weight)", ["45 % (45 %)", "91 % (45 %)"])
    ]
    titles = [row.label for row in figure_rows(skewed, {}) if not row.cells]
    assert titles[-3:-1] == ["how the servers were used", "after a change"]


def test_what_is_even_needs_no_row(skewed: tuple[SchedulerSummary, ...]) -> None:
    even = {"weight_departure": one(0.002), "active_jain": one(0.99), "active_peak": one(1.1)}
    column = with_spread(skewed[0], evenness=even)
    assert list(evenness_rows(column)) == []
    assert list(share_row([column[0].servers[0]], column)) == []
    assert list(evenness_rows([replace(skewed[0], spread=None)])) == []


def test_a_change_that_stood_in_the_next_sample_needs_no_row(
    skewed: tuple[SchedulerSummary, ...],
) -> None:
    quick = ChangeSummary(2, "scale to 3", one(0.07), seen_late=False)
    assert list(change_rows(with_spread(skewed[0], changes=(quick,)))) == []
    slow = replace(quick, table_s=one(6.2), seen_late=True)
    assert list(change_rows(with_spread(skewed[0], changes=(slow,)))) == [
        ("scale to 3: in the table", ["6.20 s"])
    ]


def test_of_several_runs_those_without_a_balance_are_told(
    skewed: tuple[SchedulerSummary, ...],
) -> None:
    came = JoinedSummary(3, 5, one(0.1), one(2.5), balanced=3, never=2)
    rows = dict(change_rows(with_spread(skewed[0], joined=(came,))))
    assert rows["server 3: has its share"] == ["2.50 s (never in 2 of 5)"]
    few = replace(came, balance_s=None, balanced=0, never=0)
    assert list(dict(change_rows(with_spread(skewed[0], joined=(few,))))) == [
        "server 3: first request"
    ]


def test_servers_that_answer_alike_need_no_row(skewed: tuple[SchedulerSummary, ...]) -> None:
    def column(first: float, second: float) -> SchedulerSummary:
        servers = (
            replace(server, latency_ms={"short": {"p95": one(ms)}})
            for server, ms in zip(skewed[0].servers, (first, second), strict=True)
        )
        return replace(skewed[0], servers=tuple(servers))

    for unlike, ms in (((5, 6), ()), ((0.2, 0.9), ()), ((5, 20), ("20.0 ms",))):
        found = column(*unlike)
        rows = latency_rows([found.servers[1]], [found], ["long", "short"])
        assert [cells for _, cells in rows] == [[one_ms] for one_ms in ms]


def test_p999_is_shown_of_more_than_a_thousand(skewed: tuple[SchedulerSummary, ...]) -> None:
    assert "latency p99.9" not in [row.label for row in figure_rows(skewed, {})]
    short = replace(skewed[0].traffic["short"], requests=one(1001))
    many = replace(skewed[0], traffic={**skewed[0].traffic, "short": short})
    assert [row.label for row in figure_rows([many], {})].count("latency p99.9") == 1

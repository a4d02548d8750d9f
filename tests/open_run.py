"""A recorded run of one open class, for tests of what is said of its arrivals."""

from collections.abc import Iterable

from ipvsload.record.events import ClassStarted
from ipvsload.record.format import Request
from ipvsload.record.reader import RecordedRun
from ipvsload.record.request_table import RequestTable
from ipvsload.results.arrivals import ArrivalsResult, arrivals_results
from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.model import Scenario

BEGAN_US = 5_000_000


def open_scenario(traffic: str) -> Scenario:
    """A scenario whose one class "short" has these keys."""
    text = f"""
name: open
schedulers: [rr]
traffic: {{short: {{{traffic}}}}}
timeline:
  - start: short
    until: done
    within: 24h
"""
    return parse_scenario(text, "open.yaml")


def open_run(times_us: Iterable[tuple[int, int, int]]) -> RecordedRun:
    """A run of requests with these planned starts, starts and ends, after the class's start."""
    run = RecordedRun(1, "rr", start_us=BEGAN_US - 100_000)
    run.events.append(ClassStarted(1, BEGAN_US, "short"))
    requests = (
        Request(
            1, "short", BEGAN_US + planned, BEGAN_US + start, end - planned, 200, 31,
            "198.51.100.200", 20_000 + i % 40_000, False, "198.51.100.11:80", None,
        )
        for i, (planned, start, end) in enumerate(times_us)
    )  # fmt: skip
    run.requests = RequestTable.of(1, requests)
    return run


def judged(traffic: str, times_us: Iterable[tuple[int, int, int]]) -> ArrivalsResult:
    """What is said of the class with these keys, where it was sent so."""
    return arrivals_results(open_run(times_us), open_scenario(traffic))["short"]

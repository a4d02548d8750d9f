"""Whether an open run can be believed: what its generator did, beside what it was asked for.

The latencies of an open workload mean something only where requests were sent when they were
due. A generator that is stopped, slowed or that sends in bursts measures itself. So each
open class is looked at: the rate that was achieved, how late requests were sent, and whether
they were sent as the process that was asked for. docs/open-workload.md says why which limit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.events import ClassStarted
from ipvsload.record.reader import RecordedRun
from ipvsload.results.arrival_process import LEVEL, Position, ProcessTest, process_tests
from ipvsload.results.expected_arrivals import expected_until
from ipvsload.results.lateness import lateness_ms
from ipvsload.results.sent_requests import SentRequests
from ipvsload.results.steadiness import Steadiness, steadiness
from ipvsload.scenario.model import Scenario, Traffic

LATE_MS = 10.0
"""At most so late may one request in a hundred be sent ..."""
STOPPED_MS = 200.0
"""... and so late any: later, the generator stood still."""
LATE_PART = 0.1
"""Both may be this part of the median time to an answer, where that is more."""
LEAST_RATE = 0.98
"""At least this part of the planned rate must be achieved."""
LEAST_ARRIVALS = 100
"""Of fewer, one in a hundred is none, and a rate is hardly one."""

_MEND = "free its machine, or lower the rate"

Verdict = Literal["believed", "not believed", "too few to tell"]


@dataclass(frozen=True, slots=True)
class ArrivalsResult:
    """How one open class was sent in one run. Rates are arrivals per second.

    `asked_rate` is what the scenario says for the time in which it was sent, `planned_rate`
    that of the planned starts, `achieved_rate` that of the real ones; None where there are
    not two, and `asked_rate` of arrivals out of a file. `process` is "even", "poisson" or
    "file"; `tests` are what was tested of it, at `level` all together; `late_limits_ms` is
    how late p99 and max may be. `steadiness` is of its latencies, and decides nothing.
    `faults` say why the class cannot be believed, and `notes` what became of its latencies,
    for people.
    """

    process: str
    requests: int
    asked_rate: float | None
    planned_rate: float | None
    achieved_rate: float | None
    lateness_ms: dict[str, float]
    late_limits_ms: dict[str, float]
    level: float
    tests: tuple[ProcessTest, ...]
    steadiness: Steadiness | None
    verdict: Verdict
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def arrivals_results(run: RecordedRun, scenario: Scenario | None) -> dict[str, ArrivalsResult]:
    """Each open class of which something was sent."""
    found = {
        name: _result(run, name, spec)
        for name, spec in (scenario.traffic.items() if scenario else ())
        if spec.users is None
    }
    return {name: result for name, result in found.items() if result is not None}


def _result(run: RecordedRun, name: str, spec: Traffic) -> ArrivalsResult | None:
    begins_us = [e.t_us for e in run.of_type(ClassStarted) if e.traffic == name]
    sent = SentRequests(run.requests, name, begins_us)
    if not sent:
        return None
    # Arrivals out of a file have no rate that the scenario asks for.
    process = spec.arrivals if isinstance(spec.arrivals, str) else "file"
    expected = partial(expected_until, spec.rate_stages)
    # One after the other: of ten million not all columns fit into memory together.
    late, limits = _lateness(sent)
    steady = steadiness(sent.latencies())
    planned, started = sent.times()
    rates = (
        _rate(planned, expected) if spec.rate_stages else None,
        _rate(planned),
        _rate(started),
    )
    tests = process_tests(process, planned, started, expected)
    faults = (
        *_lateness_faults(name, len(sent), late, limits),
        *_rate_faults(name, len(sent), rates[1], rates[2]),
        *_process_faults(name, process, tests),
    )
    few = len(sent) < LEAST_ARRIVALS
    verdict: Verdict = "not believed" if faults else "too few to tell" if few else "believed"
    return ArrivalsResult(
        process=process,
        requests=len(sent),
        asked_rate=rates[0],
        planned_rate=rates[1],
        achieved_rate=rates[2],
        lateness_ms=late,
        late_limits_ms=limits,
        level=LEVEL,
        tests=tests,
        steadiness=steady,
        verdict=verdict,
        faults=faults,
        notes=tuple(_trend_note(name, steady)),
    )


def _rate(starts_us: Sequence[NDArray[Any]], expected: Position | None = None) -> float | None:
    """Arrivals per second from the first to the last of each start, or those expected there."""
    ends = [times[[0, -1]] / 1e6 for times in starts_us]
    seconds = sum((last - first for first, last in ends), 0.0)
    if expected is None:
        arrivals: float = sum(len(times) - 1 for times in starts_us)
    else:
        arrivals = sum((last - first for first, last in map(expected, ends)), 0.0)
    return float(arrivals / seconds) if seconds > 0 else None


def _lateness(sent: SentRequests) -> tuple[dict[str, float], dict[str, float]]:
    """Its figures, and how late p99 and max may be, in ms.

    That is beside the median time from the start to an answer.
    """
    late, took = sent.waits()
    part = LATE_PART * float(np.median(took.array)) / 1000 if took else 0.0
    return lateness_ms(late), {"p99": max(LATE_MS, part), "max": max(STOPPED_MS, part)}


def _lateness_faults(
    name: str, count: int, late: Mapping[str, float], limits: Mapping[str, float]
) -> Iterator[str]:
    if late["max"] > limits["max"]:
        yield (
            f"{name}: the generator stood still: a request was sent {late['max']:.0f} ms after it"
            f" was due (limit {limits['max']:.0f} ms); {_MEND}"
        )
    if count >= LEAST_ARRIVALS and late["p99"] > limits["p99"]:
        yield (
            f"{name}: the generator was late: p99 of lateness is {late['p99']:.1f} ms"
            f" (limit {limits['p99']:.0f} ms); {_MEND}"
        )


def _rate_faults(
    name: str, count: int, planned: float | None, achieved: float | None
) -> Iterator[str]:
    if count < LEAST_ARRIVALS or not planned or not achieved:
        return
    if achieved < LEAST_RATE * planned:
        yield (
            f"{name}: the generator was slow: {achieved:.1f} requests/s were sent of"
            f" {planned:.1f} that were planned (limit {LEAST_RATE:.0%}); {_MEND}"
        )


def _process_faults(name: str, process: str, tests: Sequence[ProcessTest]) -> Iterator[str]:
    for test in tests:
        if not test.passed:
            low, high = test.limits
            yield (
                f"{name}: the arrivals are not {process}, as was asked for: {_found(test)}, limits"
                f" {low:.2f} to {high:.2f}{_level(test.level) if test.p is not None else ''}"
            )


def _found(test: ProcessTest) -> str:
    """What a test found, as "gaps 0.01 (p 0.6310)"."""
    chance = "" if test.p is None else f" ({_chance(test.p)})"
    return f"{test.test.partition(':')[0]} {test.effect:.2f}{chance}"


def _chance(p: float) -> str:
    """How likely chance makes such a one: "p 0.6310", "p < 0.0001"."""
    return "p < 0.0001" if p < 0.0001 else f"p {p:.4f}"


def _level(level: float) -> str:
    return f"; level {level:.6f}".rstrip("0")


def _trend_note(name: str, steady: Steadiness | None) -> Iterator[str]:
    """Latencies that rise or fall over the run."""
    if steady is not None and steady.trend != "steady":
        middle, half = steady.median_ms, steady.change_ms / 2
        yield (
            f"{name}: its latencies {'rose' if half > 0 else 'fell'} over the run, from about"
            f" {max(0.0, middle - half):.1f} to {max(0.0, middle + half):.1f} ms (Mann-Kendall over"
            f" {steady.batches} batches: tau {steady.tau:.2f}, {_chance(steady.p)}, level"
            f" {steady.level:g}): their percentiles depend on how long it was"
        )

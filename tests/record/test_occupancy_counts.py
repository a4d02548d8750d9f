"""Utilisation and queues out of what servers say of themselves."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.format import OccupancySample, Request, ServerOccupancy
from ipvsload.record.reader import read
from ipvsload.report.write import load_results
from ipvsload.results.evaluate import evaluate
from ipvsload.results.occupancy_counts import OccupancyFigures, occupancy_figures
from ipvsload.results.queue_times import SLOWEST, LatencyParts
from ipvsload.scenario.load import parse_scenario
from tests.full_servers_recording import write_full_servers
from tests.request_edits import change_each


def said(t_us: int, *servers: tuple[str, int, int, int]) -> OccupancySample:
    """At a time: address, busy workers, waiting requests, µs of busy workers."""
    told = (ServerOccupancy(a, busy, queued, 0, 0, spent) for a, busy, queued, spent in servers)
    return OccupancySample(1, t_us, tuple(told))


def test_utilisation_is_the_growth_of_busy_time() -> None:
    samples = [said(t, ("a", t % 3, t % 5, 700 + 3 * t)) for t in range(0, 1000, 10)]
    found = occupancy_figures(samples, {"a": 100}, 900, 4)
    assert found["a"].busy_mean == 3
    assert found["a"].utilisation == 0.75
    assert (found["a"].busy_max, found["a"].queue_max) == (2, 0)


def test_the_mean_is_of_the_time_in_which_something_went_on() -> None:
    # Two workers from 100 to 200, and nothing before and after that.
    curve = [(0, 0, 50), (100, 2, 50), (200, 0, 250), (300, 0, 250)]
    samples = [said(t, ("a", busy, 0, spent)) for t, busy, spent in curve]
    for since, until, mean in ((0, 300, 2 / 3), (100, 200, 2), (150, 200, 2), (150, 250, 1)):
        found = occupancy_figures(samples, {"a": since}, until, 2)
        assert found["a"].busy_mean == pytest.approx(mean)
        assert found["a"].utilisation == pytest.approx(mean / 2)


def test_what_was_done_between_a_reading_and_the_end_is_in_it() -> None:
    # Three workers from 20 to 180, in which time everything began and ended.
    samples = [said(0, ("a", 0, 0, 0)), said(100, ("a", 3, 0, 240)), said(200, ("a", 0, 0, 480))]
    assert occupancy_figures(samples, {"a": 20}, 180, 4)["a"].busy_mean == 3
    # Of one that is still busy nobody knows what it did when.
    busy = [*samples[:2], said(200, ("a", 3, 0, 540))]
    assert occupancy_figures(busy, {"a": 20}, 150, 4)["a"].busy_mean == 3


def test_all_together_are_seen_at_one_instant() -> None:
    samples = [
        said(0, ("a", 4, 9, 0), ("b", 0, 0, 0), ("other", 8, 8, 0)),
        said(100, ("a", 1, 0, 100), ("b", 4, 6, 300), ("other", 8, 8, 800)),
    ]
    found = occupancy_figures(samples, {"a": 0, "b": 0}, 100, 4)
    assert set(found) == {"a", "b", None}
    assert found[None] == OccupancyFigures(5, 9, 4.0, 0.5)


def test_a_server_that_began_anew_counts_on() -> None:
    samples = [said(0, ("a", 1, 0, 900)), said(50, ("a", 1, 0, 950)), said(100, ("a", 1, 0, 50))]
    assert occupancy_figures(samples, {"a": 0}, 100, None)["a"].busy_mean == 1


def test_what_is_not_known_is_none() -> None:
    assert occupancy_figures([], {"a": 0}, 100, 4) == {}
    once = occupancy_figures([said(50, ("a", 3, 1, 10))], {"a": 0}, 100, 4)
    assert once["a"] == OccupancyFigures(3, 1, None, None)
    assert once[None].utilisation is None
    two = [said(0, ("a", 3, 1, 0)), said(100, ("a", 3, 1, 300))]
    assert occupancy_figures(two, {"a": 0}, 100, None)["a"].utilisation is None


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 8)), min_size=1, max_size=20),
    st.integers(0, 10**6),
    st.integers(0, 10**7),
)
def test_utilisation_is_a_part_of_all_workers(
    pieces: list[tuple[int, int]], since: int, until: int
) -> None:
    t = spent = 0
    samples = [said(0, ("a", 0, 0, 0))]
    for length, busy in pieces:
        t, spent = t + length, spent + length * busy
        samples.append(said(t, ("a", busy, 0, spent)))
    part = occupancy_figures(samples, {"a": since}, until, 8)["a"].utilisation
    if min(t, until) > since:
        assert part is not None
        assert 0 <= part <= 1 + 1e-9
    else:
        assert part is None


us = st.integers(0, 10**7)


@given(st.lists(st.tuples(us, us, us), max_size=60), st.integers(1, 20))
def test_the_parts_of_latency_add_up(parts_us: list[tuple[int, int, int]], at_once: int) -> None:
    rows = [(late + queue + rest, queue, late) for late, queue, rest in parts_us]
    found = LatencyParts(len(rows))
    for begin in range(0, len(rows), at_once):
        found.add(*np.array(rows[begin : begin + at_once]).T)
    parts = found.ms()
    if not rows:
        assert parts == {}
        return
    mean = sum(latency for latency, _, _ in rows) / len(rows) / 1000
    assert sum(parts["all"].values()) == pytest.approx(mean)
    slowest = sorted(rows)[-max(1, round(len(rows) * SLOWEST)) :]
    for which, some in (("all", rows), ("slowest", slowest)):
        of = len(some) * 1000
        assert parts[which]["late"] == pytest.approx(sum(late for _, _, late in some) / of)
        assert parts[which]["queue"] == pytest.approx(sum(queue for _, queue, _ in some) / of)


def test_results_have_what_servers_say(tmp_path: Path) -> None:
    _, found = load_results(write_full_servers(tmp_path / "run", seconds=1.0))
    assert found.verdict == "held"
    for run in found.runs:
        for server in run.servers:
            assert server.utilisation is not None
            assert 0.6 < server.utilisation < 1
            assert server.busy_max == 4
            assert server.queue_max is not None
        short = run.traffic["short"]
        queue, latency = short.queue_ms["p95"], short.latency_ms["p95"]
        assert latency is not None
        assert 0 < queue < latency
        mean = short.latency_ms["mean"]
        assert sum(short.latency_parts_ms["all"].values()) == pytest.approx(mean)
    rr, lc = found.schedulers
    assert rr.servers[0].utilisation is not None
    p95 = [one.traffic["short"].queue_ms["p95"] for one in (rr, lc)]
    assert p95[0] is not None
    assert p95[1] is not None
    assert p95[0].median > p95[1].median


def test_requests_that_failed_have_no_part_in_the_time_in_the_queue(tmp_path: Path) -> None:
    directory = write_full_servers(tmp_path / "run", seconds=0.5)
    recording = read(directory)
    run = recording.runs[0]
    longest = max(run.requests, key=lambda r: r.queue_us or 0)
    change_each(run, lambda r: r._replace(status=503) if r == longest else r)
    scenario = parse_scenario((directory / "scenario.yaml").read_text(), "t.yaml")
    greatest = evaluate(recording, scenario).runs[0].traffic["short"].queue_ms["max"]
    assert greatest * 1000 < (longest.queue_us or 0)


def test_without_what_servers_say_nothing_is_told(tmp_path: Path) -> None:
    directory = write_full_servers(tmp_path / "run", seconds=0.5)
    (directory / "occupancy.ndjson").unlink()
    recording = read(directory)
    for run in recording.runs:
        change_each(run, _untold)
    scenario = parse_scenario((directory / "scenario.yaml").read_text(), "t.yaml")
    found = evaluate(recording, scenario).runs[0]
    assert found.servers[0].utilisation is None
    assert found.traffic["short"].queue_ms == {}
    assert found.traffic["short"].latency_parts_ms == {}


def _untold(request: Request) -> Request:
    return request._replace(queue_us=None)


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 8)), min_size=2, max_size=30),
    st.data(),
)
def test_between_two_readings_it_is_what_was_counted(
    pieces: list[tuple[int, int]], data: st.DataObject
) -> None:
    curve = [(0, 0)]
    samples = [said(0, ("a", 0, 0, 0))]
    for length, busy in pieces:
        curve.append((curve[-1][0] + length, curve[-1][1] + length * busy))
        samples.append(said(curve[-1][0], ("a", busy, 0, curve[-1][1])))
    first = data.draw(st.integers(0, len(curve) - 2))
    last = data.draw(st.integers(first + 1, len(curve) - 1))
    (begin, before), (end, after) = curve[first], curve[last]
    mean = occupancy_figures(samples, {"a": begin}, end, 8)["a"].busy_mean
    assert mean == pytest.approx((after - before) / (end - begin))

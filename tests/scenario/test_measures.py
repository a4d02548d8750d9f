"""The values of measures, and why one has none."""

from dataclasses import dataclass

import pytest

from ipvsload.ipvs.table import RealServer
from ipvsload.record.format import Request, ServerOccupancy
from ipvsload.record.request_table import RequestTable
from ipvsload.results.judgement import RunMeasures
from ipvsload.results.kernel_counts import KernelCounts, ServerCounts
from ipvsload.results.occupancy_counts import OccupancyFigures
from ipvsload.results.request_counts import RequestCounts
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import LiveCounts, Measure

A, B, GONE = "198.51.100.11:80", "198.51.100.12:80", "198.51.100.13:80"


@dataclass
class Counts:
    requests: int = 0
    failures: int = 0
    inflight: int = 0
    users: int = 0
    done: bool = False
    started: bool = False


CLASSES = {"long": Counts(3, 1, 2, 5, False, True), "short": Counts(40, 0, 1, 7, True, True)}
TABLE = {
    A: RealServer(A, 1, 10, 4, 0, 14, 0, 0, 0, 0),
    B: RealServer(B, 5, 2, 8, 0, 10, 0, 0, 0, 0),
}
OCCUPANCY = {A: ServerOccupancy(A, 8, 3, 100, 0, 5_000), B: ServerOccupancy(B, 2, 0, 90, 0, 4_000)}
LIVE = {
    Measure("active"): 12,
    Measure("active", server=1): 10,
    Measure("active", server=3): 0,  # it has left the table
    Measure("active", server=4): None,  # it has not joined
    Measure("inactive", server=2): 8,
    Measure("conns", server=3): None,
    Measure("conns"): 24,
    Measure("weight", server=2): 5,
    Measure("servers"): 2,
    Measure("busy"): 10,
    Measure("busy", server=2): 2,
    Measure("busy", server=3): None,  # it has said nothing
    Measure("queue", server=1): 3,
    Measure("queue", server=4): None,  # it has not joined
    Measure("requests"): 43,
    Measure("requests", class_="long"): 3,
    Measure("failures"): 1,
    Measure("inflight", class_="short"): 1,
    Measure("users"): 12,
    Measure("done", class_="short"): 1,
    Measure("done"): 0,
    Measure("elapsed"): 2.5,
}
FROM_THE_TABLE = {"active", "inactive", "conns", "weight", "servers", "busy", "queue"}


def live(measure: Measure, now: LiveCounts) -> float | None:
    use = MEASURES[measure.name].live
    assert use is not None
    return use.value(now, measure)


def test_every_live_measure_is_tried_here() -> None:
    assert {kind.name for kind in MEASURES.values() if kind.live} == {m.name for m in LIVE}


@pytest.mark.parametrize(("measure", "value"), LIVE.items(), ids=str)
def test_a_live_value(measure: Measure, value: float | None) -> None:
    assert live(measure, LiveCounts(CLASSES, (A, B, GONE), TABLE, 2.5, OCCUPANCY)) == value


@pytest.mark.parametrize(("measure", "value"), LIVE.items(), ids=str)
def test_without_a_sample_only_the_load_is_known(measure: Measure, value: float | None) -> None:
    known = None if measure.name in FROM_THE_TABLE else value
    assert live(measure, LiveCounts(CLASSES, (A, B, GONE), None, 2.5)) == known


def answered(
    traffic: str, server: str | None, latency_us: int, queue_us: int | None = None
) -> Request:
    request = Request(1, traffic, 0, 0, latency_us, 200, 1, "c", 1, False, server, None)
    return request._replace(queue_us=queue_us)


def final(*requests: Request) -> RunMeasures:
    kernel = KernelCounts({A: ServerCounts([1], 14, 10, 4), B: ServerCounts([1], 10, 2, 8)}, 11, 9)
    occupancy = {
        None: OccupancyFigures(11, 7, 6.0, 0.375),
        A: OccupancyFigures(8, 5, 4.0, 0.5),
    }
    counts = RequestCounts(RequestTable.of(1, requests))
    return RunMeasures(counts, kernel, kernel.servers, [A, B], occupancy)


def failed(traffic: str, server: str | None, error: str | None, status: int = 0) -> Request:
    return answered(traffic, server, 500)._replace(status=status, error=error)


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        (Measure("failures"), 4),
        (Measure("failures", kind="reset"), 3),
        (Measure("failures", class_="short", kind="reset"), 2),
        (Measure("failures", class_="short", server=2, kind="reset"), 1),
        (Measure("failures", kind="status 503"), 1),
        (Measure("failures", kind="timeout"), 0),
        (Measure("failed_share", class_="short", kind="reset"), 2 / 5),
        (Measure("failed_share", kind="timeout"), 0),
        (Measure("retries"), 3),
        (Measure("retries", class_="long"), 1),
    ],
    ids=str,
)
def test_failures_by_kind_and_retries(measure: Measure, value: float) -> None:
    measures = final(
        failed("short", A, "reset"), failed("short", B, "reset"), failed("long", A, "reset"),
        failed("short", A, None, 503), answered("short", A, 9)._replace(retried=1),
        answered("short", A, 9)._replace(retried=1), answered("long", B, 9)._replace(retried=1),
    )  # fmt: skip
    assert measures(measure) == value


def test_a_percentile_of_a_thousand_is_not_the_greatest() -> None:
    measures = final(*(answered("short", A, 1000 * n) for n in range(1, 1001)))
    found = {which: measures(Measure(f"latency_{which}")) for which in ("p99", "p999", "max")}
    assert found == {"p99": 990, "p999": 999, "max": 1000}


FINAL = {
    Measure("requests"): 3,
    Measure("requests", class_="long", server=2): 1,
    Measure("failures"): 0,
    Measure("failed_share"): 0,
    Measure("failed_share", class_="other"): None,  # nobody sent one
    Measure("share", class_="long", server=1): 0.5,
    Measure("rps", class_="short"): 0.5,
    Measure("latency_max"): 4000,
    Measure("latency_p50", server=1): 1000,
    Measure("latency_mean", class_="long"): 2500,
    Measure("conns"): 24,
    Measure("conns", server=1): 14,
    Measure("active_max"): 11,  # of all servers at one instant
    Measure("active_max", server=1): 10,
    Measure("inactive_max", server=2): 8,
    Measure("conns", server=3): None,
    Measure("busy_max"): 11,  # of all servers at one instant
    Measure("busy_max", server=1): 8,
    Measure("queue_max", server=1): 5,
    Measure("utilisation"): 0.375,
    Measure("utilisation", server=1): 0.5,
    Measure("utilisation", server=2): None,
    Measure("queue_p50", class_="long"): 3,
    Measure("queue_p95", class_="long", server=2): 9,
    Measure("queue_p99", class_="short"): None,
}


@pytest.mark.parametrize(("measure", "value"), FINAL.items(), ids=str)
def test_a_final_value(measure: Measure, value: float | None) -> None:
    measures = final(
        answered("long", A, 1_000_000, 3_000), answered("long", B, 4_000_000, 9_000),
        answered("short", A, 2_000_000),
    )  # fmt: skip
    assert measures(measure) == value


@pytest.mark.parametrize(
    ("measure", "why"),
    [
        (Measure("conns", server=3), "no server 3 joined"),
        (Measure("utilisation", server=2), "server 2 did not say how busy it is"),
        (
            Measure("queue_p95", class_="short"),
            "no server said how long short requests waited there",
        ),
        (Measure("requests", server=1), "the server of some requests is not known"),
        (
            Measure("share", class_="short", server=1),
            "the server of some short requests is not known",
        ),
        (Measure("latency_p95", class_="long", server=1), "no long requests answered by server 1"),
        (Measure("rps", class_="long"), "no long requests answered"),
    ],
    ids=str,
)
def test_why_a_final_measure_has_no_value(measure: Measure, why: str) -> None:
    measures = final(answered("short", None, 5))
    assert measures(measure) is None
    assert measures.why(measure) == why


def test_without_samples_the_kernels_counts_are_unknown() -> None:
    counts = RequestCounts(RequestTable.of(1, ()))
    measures = RunMeasures(counts, KernelCounts({}, None, None), {}, [A])
    for name in ("conns", "active_max", "inactive_max"):
        for measure in (Measure(name), Measure(name, server=1)):
            assert measures(measure) is None
            assert measures.why(measure) == "there are no samples of the kernel's table"


def test_a_failed_share_is_of_what_was_sent_there() -> None:
    failed = answered("short", A, 1_000)._replace(status=503)
    measures = final(failed, failed, *(answered("short", A, 1_000) for _ in range(3)),
                     *(answered("short", B, 1_000) for _ in range(3)))  # fmt: skip
    assert measures(Measure("failed_share", class_="short")) == 0.25
    assert measures(Measure("failed_share", class_="short", server=1)) == 0.4
    assert measures(Measure("failed_share", server=2)) == 0


def test_which_way_is_good_is_said_where_it_does_not_depend_on_taste() -> None:
    good = {kind.name: kind.better for kind in MEASURES.values() if kind.better}
    more = ("rps", "active_jain", "utilisation_jain")
    assert {good.pop(name) for name in more} == {"greater"}
    assert set(good.values()) == {"less"}
    assert {"latency_p95", "queue_p95", "failures", "failed_share"} <= good.keys()
    assert not {"share", "utilisation", "requests", "weight"} & good.keys()


@pytest.mark.parametrize("measure", [
    *LIVE, *FINAL, Measure("latency_p95", "short", 2, "lc"), Measure("failures", kind="status 503"),
    Measure("failures", "short", kind="refused"),
], ids=str)  # fmt: skip
def test_a_measure_is_read_from_its_text(measure: Measure) -> None:
    assert Measure.of(str(measure)) == measure

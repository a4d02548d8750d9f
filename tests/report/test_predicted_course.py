"""The predicted course of active connections, and how the page draws it."""

import random
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate, islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.reader import RecordedRun, Recording
from ipvsload.record.request_table import RequestTable
from ipvsload.record.witness import Packet, PacketKind, Witness
from ipvsload.replay.decision import Decision, PredictedChoice
from ipvsload.report.html import charts, html_report
from ipvsload.report.html.chart_series import MAX_BUCKETS, Point
from ipvsload.report.html.predicted_course import drawn, predicted_active
from ipvsload.results.mismatches import mismatches
from ipvsload.results.prediction import Prediction
from tests.report.decided import CLIENT, SERVICE_MS, decided
from tests.report.rendering import results
from tests.skew_recording import ONE, TWO

NOBODY = RecordedRun(1)


def ends(count: int) -> Witness:
    """A FIN of each side of each connection, 50 ms after its SYN."""
    return Witness(
        [
            Packet((one.t_us + SERVICE_MS * 1000) * 1000 + at, kind, CLIENT, one.port, "")
            for one in decided("lc", count)
            for at, kind in enumerate((PacketKind.CLIENT_FIN, PacketKind.SERVER_FIN))
        ]
    )


def choices(found: Iterable[Decision]) -> list[PredictedChoice]:
    return [PredictedChoice(one.t_us, one.client, one.port, one.predicted) for one in found]


@given(st.integers(1, 60), st.sampled_from(["lc", "wlc", "sed", "rr"]), st.integers(1, 4))
def test_where_the_model_is_right_its_course_is_what_servers_had(
    count: int, scheduler: str, weight: int
) -> None:
    found = list(decided(scheduler, count, (1, weight)))
    course = predicted_active(NOBODY, choices(found), ends(count))
    for decision in found[1:]:
        for server in decision.servers:
            points = course.get(server.address, [(0.0, 0)])
            place = bisect_left(points, (decision.t_us / 1e6,)) - 1
            assert (points[place][1] if place >= 0 else 0) == server.active
    assert {points[-1][1] for points in course.values()} == {0}


def test_a_connection_counts_where_the_model_has_it() -> None:
    found = list(decided("lc", 2, wrong=frozenset({0})))
    one, two = (server.address for server in found[0].servers)
    assert (found[0].chosen, found[0].predicted) == (one, two)
    course = predicted_active(NOBODY, choices(found), ends(2))
    assert course == {two: [(1.0, 0), (1.0, 1), (1.02, 2), (1.05, 1), (1.07, 0)]}


def test_without_packets_a_connection_ends_with_its_last_request(recording: Recording) -> None:
    run = recording.runs[0]
    kept = [
        replace_request._replace(port=5, reused=at > 0, planned_us=at * 1000, start_us=at * 1000,
                                 latency_us=500)
        for at, replace_request in enumerate(islice(run.requests, 3))
    ]  # fmt: skip
    mine = replace(run, requests=RequestTable.of(1, kept), start_us=0, events=[])
    (first, *_) = decided("lc", 1)
    found = [replace(first, t_us=10, client=kept[0].client, port=5)]
    (points,) = predicted_active(mine, choices(found), None).values()
    assert points == [(1e-05, 0), (1e-05, 1), (0.0025, 0)]


@given(st.integers(0, 1_000), st.integers(1, 9))
def test_many_changes_are_drawn_as_means(seed: int, most: int) -> None:
    gaps = random.Random(seed)
    times = list(accumulate(gaps.expovariate(500) for _ in range(500)))
    points: list[Point] = [(t, float(at % (most + 1))) for at, t in enumerate(times)]
    points.append((times[-1] + 0.01, 0.0))
    end = points[-1][0]
    means = drawn(points, end)
    assert len(means) == MAX_BUCKETS + 1
    held = sum((after[0] - t) * (n or 0) for (t, n), after in pairwise(points))
    assert sum((n or 0) * end / MAX_BUCKETS for _, n in means) == pytest.approx(held)
    assert all(0 <= (n or 0) <= most + 1e-6 for _, n in means)


def test_few_changes_are_drawn_as_they_are() -> None:
    course: list[Point] = [(0.0, 0.0), (0.1, 3.0), (0.4, 0.0)]
    assert drawn(course, 9.0) == course


def test_the_predicted_line_is_thin_and_under_the_measured_one(recording: Recording) -> None:
    course: dict[str, list[Point]] = {
        ONE: [(0.0, 0.0), (0.1, 12.0), (4.0, 0.0)],
        TWO: [(0.6, 0.0), (0.7, 1.0)],
    }
    curves = charts.run_curves(recording.runs[0], ["long", "short"], course)
    axes = charts.shared_axes([curves])
    assert axes.active.high >= 12
    by_class = {"long": "--c0", "short": "--c1"}
    plots = charts.plots(curves, axes, [ONE, TWO], {1: "--s0", 2: "--s1"}, by_class)
    layers = [(layer.kind, layer.colour, layer.legend) for layer in plots[0].layers]
    assert layers == [
        ("predicted", "--s0", False), ("predicted", "--s1", False),
        ("line", "--s0", True), ("line", "--s1", True),
    ]  # fmt: skip
    assert plots[0].note == "thin: predicted"
    assert not any(layer.kind == "predicted" for plot in plots[1:] for layer in plot.layers)


def test_the_page_shows_each_server_at_a_choice_that_is_not_the_models(
    recording: Recording,
) -> None:
    wrong = [
        one for one in decided("wlc", 9, (1,) * 12, frozenset({3})) if one.verdict != "matched"
    ]
    shown = mismatches(wrong, "wlc", 256)
    known = results(recording)
    run = replace(known.runs[1], prediction=Prediction(9, 8, 0, 1, True, shown))
    text = html_report.render(replace(known, runs=(known.runs[0], run)), recording)
    assert "lc, run 2: connection 4, short, went to" in text
    section = text[text.index("Choices that are not") : text.index("<h2>Notes")]
    assert section.count("<tr") == 1 + 8 + 1  # the head, the best, and the one that was chosen
    assert "3 more servers, none with a better score" in section
    assert section.count('class="marked"') == 2
    assert "256·1 + 0 = 256" in section or "256·0 + 0 = 0" in section

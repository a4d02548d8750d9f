import re

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.table import RealServer
from ipvsload.record.format import Request
from ipvsload.record.request_table import RequestTable
from ipvsload.report.html import chart_series, svg
from ipvsload.report.html.request_curves import request_curves
from ipvsload.report.terminal_progress import LiveClass, LiveState, frame, sparkline
from ipvsload.report.wording import figure, milliseconds, percent, plain

values = st.lists(st.integers(0, 50), min_size=1, max_size=400)


@given(values, st.integers(1, 20))
def test_thinned_curves_keep_their_extremes_and_order(found: list[int], buckets: int) -> None:
    points = [(i / 10, float(value)) for i, value in enumerate(found)]
    kept = chart_series.thin(points, buckets)
    assert len(kept) <= 3 * (buckets + 1)
    assert set(kept) <= set(points)
    assert kept == sorted(kept)
    assert {min(found), max(found)} <= {value for _, value in kept}
    assert kept[0][0] == 0 or len(points) > 3 * buckets
    assert kept[-1] == points[-1]


def test_a_server_that_left_interrupts_its_curve() -> None:
    axis = svg.Axis(0, 10)
    path = svg.step_path([(0, 1), (2, None), (5, 3), (6, 3)], axis, svg.Axis(0, 10))
    assert path == "M0 900H200M500 700H600V700"


@given(st.floats(1e-3, 1e9))
def test_a_linear_axis_holds_its_value_and_has_few_round_ticks(greatest: float) -> None:
    axis = svg.linear(greatest)
    ticks = axis.ticks()
    assert axis.low == 0
    assert axis.high >= greatest * (1 - 1e-9)
    assert 2 <= len(ticks) <= svg.MAX_TICKS + 1
    assert abs(ticks[-1] - axis.high) <= 1e-9 * axis.high


@given(st.floats(1e-3, 1e6), st.floats(1, 1e6))
def test_a_logarithmic_axis_holds_its_values(least: float, times: float) -> None:
    axis = svg.logarithmic(least, least * times)
    assert axis.low <= least * (1 + 1e-6)
    assert axis.high >= least * times * (1 - 1e-6)
    assert 2 <= len(axis.ticks()) <= svg.MAX_TICKS + 1
    assert 0 <= axis.place(least) <= axis.place(least * times) <= 1


def test_rates_count_every_event_once() -> None:
    ends = [0, 50_000, 100_000, 950_000, 1_000_000]
    row = Request(1, "short", 0, 0, 0, 200, 1, "203.0.113.1", 1, False, None, None)
    sent = [row._replace(latency_us=end, error="reset" if end < 60_000 else None) for end in ends]
    sent.append(row._replace(latency_us=1_000_001))  # ends later than the chart
    curves = request_curves(RequestTable.of(1, sent), ["short", "long"], 0, 1.0, 0.1)
    assert sum((value or 0) * 0.1 for _, value in curves.rates["short"]) == 5
    assert sum((value or 0) * 0.1 for _, value in curves.failures) == 2
    assert not any(value for _, value in curves.rates["long"])
    assert [ms for _, ms, _, _ in curves.answers["short"]] == [100, 950, 1000, 1000.001]
    assert curves.dots


def test_of_many_answers_each_stretch_has_its_least_median_and_greatest() -> None:
    row = Request(1, "short", 0, 0, 0, 200, 1, "203.0.113.1", 1, False, None, None)
    sent = [
        row._replace(planned_us=1000 * i + 500, latency_us=1000 * (i % 100 + 1))
        for i in range(1000)
    ]
    curves = request_curves(RequestTable.of(1, sent), ["short"], 0, 1.0, 0.1)
    assert not curves.dots
    assert curves.answers["short"] == [((i + 0.5) * 0.1, 1, 50, 100) for i in range(10)]


@given(st.floats(0.1, 1e7))
def test_buckets_are_few(seconds: float) -> None:
    assert seconds / chart_series.bucket_width(seconds) <= chart_series.MAX_BUCKETS * (1 + 1e-9)


def test_texts() -> None:
    assert [figure(v) for v in (0, 50, 57.634, 0.5, 0.0833, 123456, None)] == [
        "0", "50", "57.63", "0.5", "0.083", "123\u202f456", "\u2013",
    ]  # fmt: skip
    assert [milliseconds(v) for v in (1.9, 19.44, 4006, 12_000)] == [
        "1.90 ms", "19.4 ms", "4006 ms", "12.0 s",
    ]  # fmt: skip
    assert [percent(v) for v in (0, 0.5, 1, 0.0004, 0.9999)] == [
        "0 %", "50 %", "100 %", "0.04 %", "99.99 %",
    ]  # fmt: skip
    assert plain("\u2713 a \u2013 b \u4e2d") == "ok a - b ?"


def test_a_spark_never_hides_what_is_there() -> None:
    assert sparkline([0, 1, 50, 100], 100) == " ▁▄█"
    assert sparkline([0, 0], 0) == "  "
    assert sparkline([1], 1, unicode=False).isascii()


def test_a_frame_of_many_servers_stays_short() -> None:
    from rich.console import Console

    servers = [(i, RealServer(f"10.0.0.{i}:80", 1, i, *[0] * 7)) for i in range(1, 51)]
    state = LiveState("lc", 2, 3, 1.5, "step 1 of 4: start long", "until active{server=1} == 10",
                      servers, [LiveClass("short", 44, 1, 3)])  # fmt: skip
    console = Console(width=80)
    with console.capture() as capture:
        console.print(frame(state, {}, unicode=False))
    lines = capture.get().splitlines()
    assert len(lines) <= 16
    assert "repeat 2 of 3" in lines[0]
    assert any(re.match(r"short +44 +1 +3", line) for line in lines)
    assert any("41 more" in line for line in lines)

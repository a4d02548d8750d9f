"""How often somebody looked is said where it matters, and holes in the samples are seen."""

import re
from dataclasses import replace

import pytest

from ipvsload.record.events import RunStarted
from ipvsload.record.reader import RecordedRun, Recording
from ipvsload.report import markdown
from ipvsload.report.html import chart_series, charts, html_report
from ipvsload.results.sampling import SampleHole, period_us, sample_holes, sampling_result
from tests.report.rendering import printed, results
from tests.skew_recording import ONE, TWO


@pytest.fixture
def run(recording: Recording) -> RecordedRun:
    return replace(recording.runs[0])


def without(run: RecordedRun, *numbers: int) -> list[int]:
    """Take samples away; returns the times of those that were there, in µs."""
    times = [sample.t_us for sample in run.samples]
    run.samples = [sample for i, sample in enumerate(run.samples) if i not in numbers]
    return times


def test_a_run_without_a_missing_sample_has_no_hole(run: RecordedRun) -> None:
    found = sampling_result(run, None)
    assert found is not None
    assert (found.period_ms, found.holes, found.longest_ms) == (100, 0, None)


def test_a_hole_of_under_a_second_is_found_with_its_length(run: RecordedRun) -> None:
    times = without(run, 8, 20, 21, 22)
    assert sample_holes(run, None) == [
        SampleHole("director", times[7], times[9]),
        SampleHole("director", times[19], times[23]),
    ]
    found = sampling_result(run, None)
    assert found is not None
    assert (found.holes, found.longest_ms) == (2, 400)


def test_before_the_first_step_and_after_the_last_request_nothing_is_missed(
    run: RecordedRun,
) -> None:
    without(run, 60, 61, 62)  # the last request ends at 4.3 s
    assert sample_holes(run, None) == []


def test_each_node_has_its_own_samples(run: RecordedRun) -> None:
    times = without(run, 20, 21)
    more = [replace(s, node="other", t_us=s.t_us + 1000) for s in run.samples]
    run.samples = sorted([*run.samples, *more], key=lambda sample: sample.t_us)
    assert [hole.node for hole in sample_holes(run, None)] == ["director", "other"]
    assert sample_holes(run, None)[0].begin_us == times[19]


def test_what_the_sidecar_promised_counts_where_it_is_recorded(run: RecordedRun) -> None:
    run.samples = run.samples[::3]
    assert (period_us(run), sample_holes(run, None)) == (300_000, [])
    run.events = [replace(e, hz=10.0) if isinstance(e, RunStarted) else e for e in run.events]
    assert period_us(run) == 100_000
    assert len(sample_holes(run, None)) > 10


def test_charts_break_in_a_hole_and_go_on_after_it(run: RecordedRun) -> None:
    times = without(run, 20, 21, 22)
    zero = chart_series.zero_us(run)
    active, inactive = chart_series.connections(run, sample_holes(run, None))
    for curves in (active, inactive):
        for curve in curves.values():
            broken = [place for place, (_, value) in enumerate(curve) if value is None]
            assert [round(curve[i][0] * 1e6) + zero for i in broken] == [times[20]]
            assert round(curve[broken[0] + 1][0] * 1e6) + zero == times[23]


def test_while_one_node_is_not_sampled_there_is_no_sum(run: RecordedRun) -> None:
    other = [replace(s, node="other", t_us=s.t_us + 1000) for s in run.samples]
    times = without(run, 20, 21, 22)
    run.samples = sorted([*run.samples, *other], key=lambda sample: sample.t_us)
    zero = chart_series.zero_us(run)
    active, _ = chart_series.connections(run, sample_holes(run, None))
    inside = [
        value for t, value in active[ONE] if times[19] + 100_000 < round(t * 1e6) + zero < times[23]
    ]
    assert inside == []


def test_a_break_stays_in_a_thinned_curve() -> None:
    points: list[chart_series.Point] = [(i / 10, float(i % 7)) for i in range(2000)]
    points[1000] = (100.0, None)
    kept = chart_series.thin(points, 20)
    place = kept.index((100.0, None))
    assert kept[place + 1] == points[1001]


def test_every_report_says_how_many_holes_and_how_long(recording: Recording) -> None:
    run = replace(recording.runs[0])
    without(run, 8, 20, 21, 22)
    changed = replace(recording, runs=(run,))
    found = results(changed)
    (note,) = found.runs[0].notes
    assert note == (
        "the samples of the kernel's table have 2 holes of up to 0.40 s, where one was due each "
        "0.1 s: what came and went in between was not seen"
    )
    page = html_report.render(found, changed)
    for text in (printed(found, 300), markdown.render(found), page.replace("&#39;", "'")):
        assert "2 holes of up to 0.40 s" in text
    assert page.count("lines break where samples are missing: 2 holes, the longest 0.4 s") == 3
    assert found.runs[0].valid


@pytest.mark.parametrize("seen", [0, 1])
def test_what_no_sample_saw_is_not_called_none(recording: Recording, seen: int) -> None:
    run = replace(recording.runs[0])
    run.samples = [
        replace(
            sample,
            services=tuple(
                service._replace(
                    servers=tuple(
                        s._replace(active=seen) if s.address == TWO else s for s in service.servers
                    )
                )
                for service in sample.services
            ),
        )
        for sample in run.samples
    ]
    changed = replace(recording, runs=(run,))
    found = results(changed)
    assert found.runs[0].servers[1].active_max == seen
    words = "active connections are counted in samples, one each 0.1 s"
    for text in (printed(found, 200), markdown.render(found), html_report.render(found, changed)):
        assert (words in text) == (seen == 0)
        assert len(re.findall(r"\d seen", text)) == (seen == 0)


def test_the_band_of_many_servers_breaks_too(recording: Recording) -> None:
    run = replace(recording.runs[0])
    (service,) = run.samples[-1].services
    many = tuple(service.servers[0]._replace(address=f"10.0.0.{i}:80") for i in range(1, 101))
    run.samples = [replace(s, services=(service._replace(servers=many),)) for s in run.samples]
    whole = charts.run_curves(run, ["short"])
    without(run, 20, 21, 22)
    broken = charts.run_curves(run, ["short"])
    axes = charts.shared_axes([whole])
    addresses = [server.address for server in many]
    for curves, pieces in ((whole, 1), (broken, 2)):
        band, median = charts.plots(curves, axes, addresses, {}, {"short": "--c0"})[0].layers
        assert (band.kind, band.d.count("M"), median.d.count("M")) == ("band", pieces, pieces)

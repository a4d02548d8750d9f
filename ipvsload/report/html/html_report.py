"""report.html: one file that opens without a network, with the verdict first.

The template escapes every text, because texts come from scenarios and servers. Nothing is
marked as safe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ipvsload import __version__
from ipvsload.record.events import StepDone, StepStarted
from ipvsload.record.reader import RecordedRun, Recording
from ipvsload.report import wording
from ipvsload.report.expectation_summary import summarize_expectations
from ipvsload.report.figure_rows import agreed_addresses, column_header, figure_rows
from ipvsload.report.html import charts, svg
from ipvsload.report.html.chart_series import zero_us
from ipvsload.report.html.template_environment import template_environment
from ipvsload.results.results import Results, RunResult, SchedulerSummary

MAX_CHARTED_RUNS = 12
MAX_SEGMENTS = 60
CLASS_COLOURS = 6


@dataclass(frozen=True, slots=True)
class StepMark:
    """One step in a run's charts. `place` is in percent of the time axis."""

    number: int
    place: float
    row: int
    seconds: float
    text: str
    outcome: str


@dataclass(frozen=True, slots=True)
class BarSegment:
    """A server's part of a bar. `colour` is the name of a CSS variable."""

    label: str
    requests: str
    percent: float
    colour: str


def render(results: Results, recording: Recording) -> str:
    """Write the whole page as text."""
    environment = template_environment("ipvsload.report.html")
    classes = list(dict.fromkeys(name for s in results.schedulers for name in s.traffic))
    colours = {name: f"--c{i % CLASS_COLOURS}" for i, name in enumerate(classes)}
    charted = _charted(results.runs)
    recorded = {run.number: run for run in recording.runs}
    curves = {run.number: charts.run_curves(recorded[run.number], classes) for run in charted}
    servers = {run.number: [server.address for server in run.servers] for run in charted}
    by_server = charts.server_colours([(curves[n], servers[n]) for n in curves])
    axes = charts.shared_axes(list(curves.values()))
    panels = [
        (
            run,
            charts.plots(curves[run.number], axes, servers[run.number], by_server, colours),
            _marks(recorded[run.number], axes.x),
        )
        for run in charted
    ]
    first = len(results.schedulers)
    started = datetime.fromtimestamp(results.started_unix_us / 1e6, UTC)
    page: str = environment.get_template("report.html.j2").render(
        results=results,
        version=__version__,
        started=started.strftime("%-d %B %Y, %H:%M UTC"),
        wording=wording,
        expectations=summarize_expectations(results),
        headers=[column_header(s) for s in results.schedulers],
        rows=figure_rows(results.schedulers, agreed_addresses(results.runs)),
        splits={name: [_bar(s, name, by_server) for s in results.schedulers] for name in classes},
        panels=panels[:first],
        more=panels[first:],
        left_out=len(results.runs) - len(panels),
        x_ticks=svg.labels(axes.x),
        x_end=axes.x.high,
    )
    return page


def _charted(runs: Sequence[RunResult]) -> list[RunResult]:
    """The first valid run of each scheduler, then others, MAX_CHARTED_RUNS at most."""
    chosen = [
        min((run for run in runs if run.scheduler == name), key=lambda run: not run.valid)
        for name in dict.fromkeys(run.scheduler for run in runs)
    ]
    others = [run for run in runs if run not in chosen]
    return chosen + others[: max(0, MAX_CHARTED_RUNS - len(chosen))]


def _marks(run: RecordedRun, x: svg.Axis) -> list[StepMark]:
    zero = zero_us(run)
    outcomes = {event.index: event.saw or "" for event in run.of_type(StepDone)}
    marks: list[StepMark] = []
    for event in run.of_type(StepStarted):
        seconds = (event.t_us - zero) / 1e6
        place = round(x.place(seconds) * 100, 2)
        # Numbers closer than their own width step down a row.
        crowded = bool(marks) and place - marks[-1].place < 7
        row = (marks[-1].row + 1) % 3 if crowded else 0
        outcome = outcomes.get(event.index, "")
        marks.append(StepMark(event.index + 1, place, row, seconds, event.text, outcome))
    return marks


def _bar(
    summary: SchedulerSummary, traffic: str, colours: dict[int, str]
) -> tuple[str, list[BarSegment], str]:
    """Split a class's requests over the servers, by the medians of the repeats.

    Returns the scheduler, the segments, and why there are none. Servers without a colour are
    grey. With more than MAX_SEGMENTS servers they share one segment.
    """
    counts = {
        server.number: found.median
        for server in summary.servers
        if (found := server.requests.get(traffic)) is not None
    }
    total = sum(counts.values())
    if not total:
        known = len(counts) == len(summary.servers)
        return summary.scheduler, [], "no requests" if known else "servers not known"
    segments: list[BarSegment] = []
    others = 0.0
    for number, count in counts.items():
        colour = colours.get(number)
        if colour is None and len(counts) > MAX_SEGMENTS:
            others += count
        else:
            shade = colour or ("--m0", "--m1")[sum(s.percent > 0 for s in segments) % 2]
            segments.append(_segment(f"server {number}", count, total, shade))
    if others:
        segments.append(_segment(f"{len(counts) - len(segments)} others", others, total, "--m0"))
    return summary.scheduler, segments, ""


def _segment(label: str, count: float, total: float, colour: str) -> BarSegment:
    return BarSegment(label, wording.figure(count), round(count / total * 100, 3), colour)

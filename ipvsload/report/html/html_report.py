"""report.html: one file that opens without a network, the verdict first.

Everything that comes from a scenario or a server is text to the template,
which escapes it; nothing is marked safe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ipvsload import __version__
from ipvsload.record.events import StepDone, StepStarted
from ipvsload.record.reader import RecordedRun, Recording
from ipvsload.report import figure_rows as rows
from ipvsload.report import wording as text
from ipvsload.report.html import charts, svg
from ipvsload.report.html.chart_series import zero_us
from ipvsload.report.html.template_environment import template_environment
from ipvsload.results.results import Results, RunResult, SchedulerSummary

MAX_CHARTED_RUNS = 12
MAX_SEGMENTS = 60
CLASS_COLOURS = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """One step in a run's charts: where it stands in percent, and what it was."""

    number: int
    place: float
    row: int
    seconds: float
    text: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One run's charts."""

    result: RunResult
    plots: list[svg.Plot]
    marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Segment:
    """A server's part of a bar."""

    label: str
    requests: str
    percent: float
    colour: str


@dataclass(frozen=True, slots=True)
class Bar:
    """How one scheduler split one class; without segments, `why` says why not."""

    scheduler: str
    segments: list[Segment]
    why: str


def render(results: Results, recording: Recording) -> str:
    """The whole page."""
    environment = template_environment("ipvsload.report.html")
    environment.filters |= {"over": text.over, "figure": text.figure, "plural": text.plural}
    classes = list(dict.fromkeys(name for s in results.schedulers for name in s.traffic))
    colours = {name: f"--c{i % CLASS_COLOURS}" for i, name in enumerate(classes)}
    chosen = _chosen(results.runs)
    recorded = {run.number: run for run in recording.runs}
    found = {run.number: charts.curves(recorded[run.number], classes) for run in chosen}
    servers = {run.number: [server.address for server in run.servers] for run in chosen}
    by_server = charts.server_colours([(found[n], servers[n]) for n in found])
    to = charts.scales(list(found.values())) if found else None
    panels = [
        Panel(
            run,
            charts.plots(found[run.number], to, servers[run.number], by_server, colours),
            _marks(recorded[run.number], to.x),
        )
        for run in chosen
        if to is not None
    ]
    first = len(results.schedulers)
    started = datetime.fromtimestamp(results.started_unix_us / 1e6, UTC)
    page: str = environment.get_template("report.html.j2").render(
        results=results,
        version=__version__,
        started=started.strftime("%-d %B %Y, %H:%M UTC"),
        kernels=text.kernels(results),
        sentence=text.verdict_line(results),
        problems=text.problems(results),
        remarks=text.remarks(results),
        asked=text.expectations(results),
        headers=[rows.header(s) for s in results.schedulers],
        rows=rows.figures(results.schedulers, rows.addresses(results.runs)),
        splits={name: [_bar(s, name, by_server) for s in results.schedulers] for name in classes},
        panels=panels[:first],
        more=panels[first:],
        left_out=len(results.runs) - len(panels),
        x_ticks=svg.labels(to.x) if to else [],
        x_end=to.x.high if to else 0,
    )
    return page


def _chosen(runs: Sequence[RunResult]) -> list[RunResult]:
    """The first valid run of each scheduler, then others, as many as a page bears."""
    first: dict[str, RunResult] = {}
    for run in sorted(runs, key=lambda run: not run.valid):
        first.setdefault(run.scheduler, run)
    order = list(dict.fromkeys(run.scheduler for run in runs))
    chosen = [first[scheduler] for scheduler in order]
    others = [run for run in runs if run not in chosen]
    return chosen + others[: max(0, MAX_CHARTED_RUNS - len(chosen))]


def _marks(run: RecordedRun, x: svg.Axis) -> list[Mark]:
    zero = zero_us(run)
    outcomes = {event.index: event.saw or "" for event in run.of_type(StepDone)}
    marks: list[Mark] = []
    for event in run.of_type(StepStarted):
        seconds = (event.t_us - zero) / 1e6
        place = round(x.place(seconds) * 100, 2)
        # Numbers closer than their own width step down a row.
        crowded = bool(marks) and place - marks[-1].place < 7
        row = (marks[-1].row + 1) % 3 if crowded else 0
        outcome = outcomes.get(event.index, "")
        marks.append(Mark(event.index + 1, place, row, seconds, event.text, outcome))
    return marks


def _bar(summary: SchedulerSummary, traffic: str, colours: dict[int, str]) -> Bar:
    """The class's requests over the servers, by the medians of the repeats.

    Servers without a colour are grey; beyond MAX_SEGMENTS they are one segment.
    """
    counts = {
        server.number: found.median
        for server in summary.servers
        if (found := server.requests.get(traffic)) is not None
    }
    total = sum(counts.values())
    if not total:
        known = len(counts) == len(summary.servers)
        return Bar(summary.scheduler, [], "no requests" if known else "servers not known")
    segments: list[Segment] = []
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
    return Bar(summary.scheduler, segments, "")


def _segment(label: str, count: float, total: float, colour: str) -> Segment:
    return Segment(label, text.figure(count), round(count / total * 100, 3), colour)

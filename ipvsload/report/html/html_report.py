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
from ipvsload.replay.decision import PredictedChoice
from ipvsload.report import regression_words, wording
from ipvsload.report.figure_rows import agreed_addresses, column_header, figure_rows
from ipvsload.report.html import charts, svg
from ipvsload.report.html.answer import answer
from ipvsload.report.html.arrival_rows import arrival_rows
from ipvsload.report.html.chart_sections import chart_sections
from ipvsload.report.html.chart_series import Point, end_seconds, zero_us
from ipvsload.report.html.director_bars import director_bars
from ipvsload.report.html.expectation_matrix import expectation_matrix
from ipvsload.report.html.latency_bars import latency_bars
from ipvsload.report.html.mismatch_tables import mismatch_tables
from ipvsload.report.html.predicted_course import drawn, predicted_active
from ipvsload.report.html.template_environment import template_environment
from ipvsload.report.prediction_rows import surprises
from ipvsload.report.shown_servers import shown_servers
from ipvsload.report.validity_rows import validity_rows
from ipvsload.results.results import Results, RunResult

MAX_CHARTED_RUNS = 12
CLASS_COLOURS = 6
MARK_ROWS = 5
MARK_WIDTH = 6.0
"""What a step's number takes of the time axis on a phone, in percent."""


@dataclass(frozen=True, slots=True)
class StepMark:
    """One step in a run's charts. `place` is in percent of the time axis."""

    number: int
    place: float
    row: int
    seconds: float
    text: str
    outcome: str


def render(results: Results, recording: Recording) -> str:
    """Write the whole page as text."""
    environment = template_environment("ipvsload.report.html")
    classes = list(dict.fromkeys(name for s in results.schedulers for name in s.traffic))
    colours = {name: f"--c{i % CLASS_COLOURS}" for i, name in enumerate(classes)}
    side_by_side, others = _charted(results.runs, [s.label for s in results.schedulers])
    charted = [*side_by_side, *others]
    recorded = {run.number: run for run in recording.runs}
    curves = {
        run.number: charts.run_curves(
            recorded[run.number],
            classes,
            _predicted(recording, recorded[run.number], results.choices.get(run.number, ())),
        )
        for run in charted
    }
    servers = {run.number: [server.address for server in run.servers] for run in charted}
    shown = shown_servers(results.schedulers)
    most = max((len(run.servers) for run in results.runs), default=0)
    by_server = charts.server_colours(most, shown)
    addresses = agreed_addresses(results.runs)
    times = {name: bars for name in classes if (bars := latency_bars(results.schedulers, name))}
    axes = charts.shared_axes(list(curves.values()))
    compared = [(run, curves[run.number]) for run in side_by_side]
    sections = chart_sections(results, recording, compared, classes, by_server, axes.x)
    splits = sections.splits
    panels = [
        (
            run,
            charts.plots(curves[run.number], axes, servers[run.number], by_server, colours),
            _marks(recorded[run.number], axes.x),
        )
        for run in charted
    ]
    started = datetime.fromtimestamp(results.started_unix_us / 1e6, UTC)
    page: str = environment.get_template("report.html.j2").render(
        results=results,
        version=__version__,
        started="" if results.simulated else started.strftime("%-d %B %Y, %H:%M UTC"),
        wording=wording,
        regression=regression_words,
        surprises=surprises(results),
        answer=answer(results, classes),
        mismatches=mismatch_tables(results.runs),
        expectations=expectation_matrix(results),
        validity=validity_rows(results),
        headers=[column_header(s) for s in results.schedulers],
        rows=figure_rows(results.schedulers, addresses, shown),
        arrivals=arrival_rows(results.runs),
        server_colours=by_server,
        sections=sections,
        repeated=any(run.repeat > 1 for run in results.runs),
        times=times,
        sent_late=any(
            bar.late for found in times.values() for group in found for bar in group.bars
        ),
        directors=director_bars(results.schedulers, by_server),
        addresses=addresses,
        grey=most > len(by_server),
        failed=any(part.failed for bars in splits.values() for b in bars for part in b.segments),
        panels=panels,
        left_out=len(results.runs) - len(panels),
        x_ticks=svg.labels(axes.x),
        x_end=axes.x.high,
    )
    return page


def _predicted(
    recording: Recording, run: RecordedRun, choices: Sequence[PredictedChoice]
) -> dict[str, list[Point]]:
    if not choices:
        return {}
    courses, end = predicted_active(run, choices, recording.witness(run)), end_seconds(run)
    return {address: drawn(points, end) for address, points in courses.items()}


def _charted(
    runs: Sequence[RunResult], labels: Sequence[str]
) -> tuple[list[RunResult], list[RunResult]]:
    """The first valid run of each of these labels, and others to MAX_CHARTED_RUNS together."""
    found = {name: [run for run in runs if run.label == name] for name in labels}
    first = [min(mine, key=lambda run: not run.valid) for mine in found.values() if mine]
    others = [run for run in runs if run not in first]
    return first, others[: max(0, MAX_CHARTED_RUNS - len(first))]


def _marks(run: RecordedRun, x: svg.Axis) -> list[StepMark]:
    zero = zero_us(run)
    outcomes = {event.index: event.saw or "" for event in run.of_type(StepDone)}
    marks: list[StepMark] = []
    for event in run.of_type(StepStarted):
        seconds = (event.t_us - zero) / 1e6
        place = round(x.place(seconds) * 100, 2)
        row = _free_row(marks, place)
        outcome = outcomes.get(event.index, "")
        marks.append(StepMark(event.index + 1, place, row, seconds, event.text, outcome))
    return marks


def _free_row(marks: Sequence[StepMark], place: float) -> int:
    """The first row whose last number leaves room for another one, else the one with most room."""
    last = {mark.row: mark.place for mark in marks}
    free = [row for row in range(MARK_ROWS) if place - last.get(row, -100.0) >= MARK_WIDTH]
    return free[0] if free else min(last, key=lambda row: last[row])

"""Which charts a run gets, and how many servers one chart can show.

Up to COLOURED servers have a colour each. Of more servers, those that the tables show one by one
are in colour; up to THIN servers have a thin line each, and with more the chart shows the least,
median and greatest of all. A server has the same colour everywhere on the page.
"""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from types import MappingProxyType

from ipvsload.record.reader import RecordedRun
from ipvsload.report.html import chart_series, svg
from ipvsload.report.html.chart_series import Band, Point
from ipvsload.report.html.request_curves import request_curves
from ipvsload.report.wording import figure, milliseconds, plural
from ipvsload.results.sampling import SampleHole, sample_holes

COLOURED = 8
THIN = 24
MOST_BUCKETS = 600
"""All lines of a chart together: so the page stays small with many columns and servers."""
SMALL_BUCKETS = 60
"""What a small chart has room for."""


@dataclass(frozen=True, slots=True)
class RunCurves:
    """One run's curves before they are scaled. Times are seconds since the run's first step."""

    end: float
    active: dict[str, list[Point]]
    predicted: Mapping[str, list[Point]]
    """Active connections as the model predicts them; {} where it does not."""
    inactive: dict[str, list[Point]]
    busy: dict[str, list[Point]]
    busy_means: dict[str, list[Point]]
    """Means of busy workers over short stretches of time."""
    queued: dict[str, list[Point]]
    rates: dict[str, list[Point]]
    failures: list[Point]
    answers: dict[str, list[Band]]
    """Latencies in ms by planned start: one for each answer if `dots`, else many together."""
    dots: bool
    width: float
    breaks: tuple[float, ...] = ()
    """When samples are missing: the middle of each hole."""
    holes: str = ""
    """Where the samples have holes, how many and how long they are."""


@dataclass(frozen=True, slots=True)
class SharedAxes:
    """Axes that all runs of a page share, so that they can be compared by eye."""

    x: svg.Axis
    active: svg.Axis
    inactive: svg.Axis
    busy: svg.Axis
    queued: svg.Axis
    rate: svg.Axis
    latency: svg.Axis


def run_curves(
    run: RecordedRun,
    classes: Sequence[str],
    predicted: Mapping[str, list[Point]] = MappingProxyType({}),
) -> RunCurves:
    """Make all curves of one run, with the classes in this order and what is `predicted`."""
    end = chart_series.end_seconds(run)
    zero = chart_series.zero_us(run)
    width = chart_series.bucket_width(end)
    holes = sample_holes(run, zero + round(end * 1e6))
    active, inactive = chart_series.connections(run, holes)
    busy, queued = chart_series.occupancy(run)
    requests = request_curves(run.requests, classes, zero, end, width)
    return RunCurves(
        end=end,
        active=active,
        predicted=predicted,
        inactive=inactive,
        busy=busy,
        busy_means=chart_series.busy_means(run, end / SMALL_BUCKETS),
        queued=queued,
        rates=requests.rates,
        failures=requests.failures,
        answers=requests.answers,
        dots=requests.dots,
        width=width,
        breaks=tuple(((hole.begin_us + hole.end_us) / 2 - zero) / 1e6 for hole in holes),
        holes=_holes(holes),
    )


def _holes(holes: Sequence[SampleHole]) -> str:
    if not holes:
        return ""
    longest = max(hole.end_us - hole.begin_us for hole in holes) / 1e6
    return (
        f"lines break where samples are missing: {plural(len(holes), 'hole')}, "
        f"the longest {figure(longest)} s"
    )


def shared_axes(runs: Sequence[RunCurves]) -> SharedAxes:
    """Axes that fit the curves of all runs."""
    answers = [one for c in runs for answers in c.answers.values() for one in answers]
    least = min((one[1] for one in answers), default=1.0)
    greatest = max((one[3] for one in answers), default=1.0)
    return SharedAxes(
        x=svg.Axis(0.0, max((c.end for c in runs), default=1.0) * 1.02),
        active=svg.linear(
            _greatest(p for c in runs for p in (*c.active.values(), *c.predicted.values()))
        ),
        inactive=svg.linear(_greatest(p for c in runs for p in c.inactive.values())),
        busy=svg.linear(_greatest(p for c in runs for p in c.busy.values())),
        queued=svg.linear(_greatest(p for c in runs for p in c.queued.values())),
        rate=svg.linear(_greatest(p for c in runs for p in (*c.rates.values(), c.failures))),
        latency=svg.logarithmic(max(least, 0.001), max(greatest, 0.001)),
    )


def server_colours(count: int, shown: Sequence[int]) -> dict[int, str]:
    """Choose a CSS variable by server number, for all `count` servers or those `shown` singly."""
    chosen = range(1, count + 1) if count <= COLOURED else shown
    return {number: f"--s{i}" for i, number in enumerate(chosen)}


def plots(
    curves: RunCurves,
    axes: SharedAxes,
    servers: Sequence[str],
    by_server: Mapping[int, str],
    by_class: Mapping[str, str],
) -> list[svg.Plot]:
    """Draw the run's charts. `servers` are addresses in the order of joining.

    There are four, six where servers say how busy they are, or without samples of connections
    the two of requests.
    """
    of_servers = [
        server_plot(title, points, curves, axes.x, y, servers, by_server, of_table, predicted)
        for title, points, y, of_table, predicted in (
            ("Active connections", curves.active, axes.active, True, curves.predicted),
            ("Busy workers", curves.busy, axes.busy, False, {}),
            ("Queue length", curves.queued, axes.queued, False, {}),
            ("Inactive connections", curves.inactive, axes.inactive, True, {}),
        )
        if any(address in points for address in servers)
    ]
    return [*of_servers, _rate_plot(curves, axes, by_class), _latency_plot(curves, axes, by_class)]


def server_plot(
    title: str,
    points: dict[str, list[Point]],
    curves: RunCurves,
    x: svg.Axis,
    y: svg.Axis,
    servers: Sequence[str],
    colours: Mapping[int, str],
    of_table: bool,
    predicted: Mapping[str, list[Point]],
    *,
    buckets: int = chart_series.MAX_BUCKETS,
    single: int = THIN,
) -> svg.Plot:
    """Draw a chart with a line a server, with more than `single` servers a band of all.

    `of_table`: the points come from samples of the kernel's table, which may have holes.
    """
    numbers = {number: a for number, a in enumerate(servers, 1) if a in points}
    coloured = {number: a for number, a in numbers.items() if number in colours}
    layers: list[svg.Layer] = []
    note = ""
    lines = len(numbers) if len(numbers) <= single else len(coloured)
    each = min(buckets, MOST_BUCKETS // max(1, lines))
    if len(numbers) > single:
        mine = chain(*(points[address] for address in numbers.values()))
        band = chart_series.envelope(mine, curves.end, curves.end / buckets)
        breaks = curves.breaks if of_table else ()
        layers += _band("all servers", "--muted", band, x, y, breaks)
        note = f"{len(numbers)} servers: least to greatest, median, and those that differ most"
    elif len(numbers) > COLOURED:
        for number, address in numbers.items():
            path = _path(points[address], each, x, y)
            layers.append(svg.Layer(f"server {number}", "--muted", path, "thin", legend=False))
        note = f"{len(numbers)} servers, those that differ most in colour"
    for number, address in coloured.items():
        if address in predicted:
            path = _path(predicted[address], each, x, y)
            name = f"server {number} predicted"
            layers.append(svg.Layer(name, colours[number], path, "predicted", legend=False))
    for number, address in coloured.items():
        path = _path(points[address], max(each, min(SMALL_BUCKETS, buckets)), x, y)
        layers.append(svg.Layer(f"server {number}", colours[number], path))
    spoken = ", ".join(
        f"server {number} {figure(_greatest([points[a]]))}" for number, a in coloured.items()
    )
    alternative = f"{title} over {figure(curves.end)} s; at most: {spoken or 'nothing recorded'}"
    parts = (note, _thin_line(predicted), curves.holes if of_table else "")
    note = "; ".join(filter(None, parts))
    return svg.Plot(title, "", y, layers, alternative, note, svg.labels(y))


def _thin_line(predicted: Mapping[str, list[Point]]) -> str:
    if not predicted:
        return ""
    means = any(value and value % 1 for points in predicted.values() for _, value in points)
    return "thin: predicted, the mean over time" if means else "thin: predicted"


def _path(points: Sequence[Point], buckets: int, x: svg.Axis, y: svg.Axis) -> str:
    return svg.step_path(chart_series.thin(points, buckets), x, y)


def _rate_plot(curves: RunCurves, axes: SharedAxes, colours: Mapping[str, str]) -> svg.Plot:
    layers = [
        svg.Layer(name, colours[name], _path(points, 200, axes.x, axes.rate))
        for name, points in curves.rates.items()
    ]
    if curves.failures:
        path = _path(curves.failures, 200, axes.x, axes.rate)
        layers.append(svg.Layer("failed", "--bad", path))
    spoken = ", ".join(f"{name} {figure(_greatest([p]))}" for name, p in curves.rates.items())
    return svg.Plot(
        "Requests finished", "per second", axes.rate, layers,
        f"Requests finished per second; at most: {spoken or 'none'}",
        f"counted in steps of {figure(curves.width)} s", svg.labels(axes.rate),
    )  # fmt: skip


def _latency_plot(curves: RunCurves, axes: SharedAxes, colours: Mapping[str, str]) -> svg.Plot:
    y = axes.latency
    layers: list[svg.Layer] = []
    spoken = []
    for name, answers in curves.answers.items():
        if curves.dots:
            dots = svg.dots_path([(t, ms) for t, _, ms, _ in answers], axes.x, y)
            layers.append(svg.Layer(name, colours[name], dots, "dots"))
        else:
            layers += _band(name, colours[name], answers, axes.x, y)
        if answers:
            least, greatest = min(one[1] for one in answers), max(one[3] for one in answers)
            spoken.append(f"{name} {milliseconds(least)} to {milliseconds(greatest)}")
    note = "each dot an answer" if curves.dots else "least to greatest, and the median"
    return svg.Plot(
        "Latency", "", y, layers, f"Latency by start of request: {', '.join(spoken) or 'none'}",
        f"at its planned start; {note}", svg.labels(y, _tick),
    )  # fmt: skip


def _tick(ms: float) -> str:
    return f"{figure(ms)} ms" if ms < 1000 else f"{figure(ms / 1000)} s"


def _band(
    name: str,
    colour: str,
    band: Sequence[Band],
    x: svg.Axis,
    y: svg.Axis,
    breaks: Sequence[float] = (),
) -> list[svg.Layer]:
    """Least to greatest and the median, in pieces where it is interrupted; `breaks` ascend."""
    pieces = [list(piece) for _, piece in groupby(band, lambda one: bisect(breaks, one[0]))]
    areas = (svg.band_path([(t, low, high) for t, low, _, high in p], x, y) for p in pieces)
    medians = (svg.line_path([(t, middle) for t, _, middle, _ in p], x, y) for p in pieces)
    return [
        svg.Layer(name, colour, "".join(areas), "band", legend=False),
        svg.Layer(name, colour, "".join(medians)),
    ]


def _greatest(curves: Iterable[Sequence[Point]]) -> float:
    return max((value for curve in curves for _, value in curve if value is not None), default=0.0)

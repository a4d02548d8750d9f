"""Everything that the page draws of columns side by side, below its first screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipvsload.record.events import StepStarted
from ipvsload.record.reader import RecordedRun, Recording
from ipvsload.report.html import svg
from ipvsload.report.html.chart_series import zero_us
from ipvsload.report.html.column_chart import ColumnChart
from ipvsload.report.html.column_styles import column_styles
from ipvsload.report.html.heat_map import FROM_SERVERS, HeatMap, heat_grid, heat_map
from ipvsload.report.html.percentile_charts import percentile_bands, percentile_chart
from ipvsload.report.html.server_multiples import Charted, SmallMultiples, server_multiples
from ipvsload.report.html.share_bars import common_weight_bars, connection_bars, with_weights
from ipvsload.report.html.sorted_load import FROM_SERVERS as SORTED_FROM
from ipvsload.report.html.sorted_load import sorted_load_chart, sorted_loads
from ipvsload.report.html.split_bars import SplitBar, split_bar
from ipvsload.report.wording import figure
from ipvsload.results.recorded_scenario import recorded_scenario
from ipvsload.results.results import Results

STEP_ROOM = 7.0
"""What a step's number takes of a small chart's axis of time, in percent."""


@dataclass(frozen=True, slots=True)
class SmallMark:
    """A step in small charts, in percent of their axis of time; `number` is "" without room."""

    place: float
    number: str


@dataclass(frozen=True, slots=True)
class HeatMaps:
    """The heat maps of all columns on one scale, and the numbers of its legend."""

    maps: Sequence[HeatMap]
    scale: Sequence[str]
    note: str


@dataclass(frozen=True, slots=True)
class ChartSections:
    """The sections' contents; empty ones are not shown."""

    percentiles: Sequence[ColumnChart]
    splits: Mapping[str, Sequence[SplitBar]]
    connections: Sequence[SplitBar]
    by_weight: Sequence[SplitBar]
    multiples: Sequence[SmallMultiples]
    marks: Mapping[str, Sequence[SmallMark]]
    """Of each column's run in the small charts."""
    steps: Sequence[str]
    heat: HeatMaps | None
    sorted_load: ColumnChart | None


def chart_sections(
    results: Results,
    recording: Recording,
    charted: Sequence[Charted],
    classes: Sequence[str],
    by_server: Mapping[int, str],
    x: svg.Axis,
) -> ChartSections:
    """Make all of it. `charted` are the first valid run of each column, with its curves."""
    styles = column_styles(
        [*(one.label for one in results.schedulers), *(r.label for r in results.runs)]
    )
    recorded = {run.number: run for run in recording.runs}
    counted = [run for run in results.runs if run.valid]
    counted += [run for run in results.runs if run.label not in {one.label for one in counted}]
    bands = percentile_bands((run.label, recorded[run.number]) for run in counted)
    columns = results.schedulers
    splits = {
        name: with_weights([split_bar(s, name, by_server) for s in columns], columns, by_server)
        for name in classes
    }
    scenario = recorded_scenario(recording)
    capacity = scenario.service.capacity if scenario else None
    most = max((len(run.servers) for run in results.runs), default=0)
    loads = sorted_loads(counted) if most >= SORTED_FROM else {}
    first = [recorded[run.number] for run, _ in charted]
    return ChartSections(
        percentiles=[
            percentile_chart(name, bands[name], styles) for name in classes if bands.get(name)
        ],
        splits=splits,
        connections=connection_bars(columns, by_server),
        by_weight=common_weight_bars(columns, by_server),
        multiples=server_multiples(charted, by_server, x, capacity.workers if capacity else None),
        marks={run.label: _marks(one, x) for (run, _), one in zip(charted, first, strict=True)},
        steps=[event.text for event in first[0].of_type(StepStarted)] if first else [],
        heat=_heat(charted, x) if most >= FROM_SERVERS else None,
        sorted_load=sorted_load_chart(loads, styles) if loads else None,
    )


def _marks(run: RecordedRun, x: svg.Axis) -> list[SmallMark]:
    zero = zero_us(run)
    marks: list[SmallMark] = []
    free = 0.0
    for event in run.of_type(StepStarted):
        place = round(x.place((event.t_us - zero) / 1e6) * 100, 2)
        roomy = place >= free
        free = place + STEP_ROOM if roomy else free
        marks.append(SmallMark(place, str(event.index + 1) if roomy else ""))
    return marks


def _heat(charted: Sequence[Charted], x: svg.Axis) -> HeatMaps | None:
    grids = {
        run.label: heat_grid(curves.active, [server.address for server in run.servers], x.high)
        for run, curves in charted
        if curves.active
    }
    values = [v for grid in grids.values() for row in grid for v in row if v is not None]
    if not values:
        return None
    greatest = max(1.0, *values)
    maps = [heat_map(label, grid, greatest, x.high) for label, grid in grids.items()]
    scale = [figure(round(greatest * part)) for part in (0.0, 0.5, 1.0)]
    shared = max(one.servers_a_row for one in maps)
    note = f"; {shared} servers share a row, which shows the greatest" if shared > 1 else ""
    return HeatMaps(maps, scale, note)

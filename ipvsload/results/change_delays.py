"""How long a step of the timeline took to stand in the kernel's table.

From the step's beginning to the first sample in which the table of every node shows what it has
changed. A change stands there up to one sampling interval before it is seen, so the time is an
upper limit, and the sample before gives the lower one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ipvsload.ipvs.table import by_address
from ipvsload.record.events import ServerJoined, StepStarted
from ipvsload.record.format import Sample
from ipvsload.record.reader import RecordedRun
from ipvsload.scenario.actions.base import Action
from ipvsload.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """A step that changes rows of the kernel's table; `step` counts from 1. Times in s.

    It began `at_s` after the run's beginning, stood in the table at most `table_s` after that,
    and more than `more_than_s`; both None where no sample shows it. `servers` are the numbers of
    those whose rows it changed.
    """

    step: int
    text: str
    at_s: float
    servers: tuple[int, ...] = ()
    table_s: float | None = None
    more_than_s: float | None = None


def change_results(run: RecordedRun, scenario: Scenario | None) -> tuple[ChangeResult, ...]:
    """Each such step that began, in their order; none without the scenario."""
    if scenario is None:
        return ()
    steps = scenario.timeline
    begun = [e for e in run.of_type(StepStarted) if e.index < len(steps)]
    changing = [e for e in begun if steps[e.index].action.shown_by({}) is not None]
    return tuple(_result(run, event, steps[event.index].action) for event in changing)


def _result(run: RecordedRun, event: StepStarted, action: Action) -> ChangeResult:
    at_s = (event.t_us - run.start_us) / 1e6
    changed = ChangeResult(event.index + 1, event.text, at_s)
    nodes = {sample.node for sample in run.samples}
    before: dict[str, Mapping[int, int]] = {}
    shown: dict[str, Mapping[int, int]] = {}
    last_us = event.t_us
    for sample, weights in _tables(run):
        if sample.t_us <= event.t_us:
            before[sample.node] = weights
            continue
        if action.shown_by(weights):
            shown[sample.node] = weights
            if shown.keys() == nodes:
                break
        else:
            shown.pop(sample.node, None)
            last_us = sample.t_us
    else:
        return changed
    return ChangeResult(
        changed.step,
        changed.text,
        at_s,
        action.names_servers or _came_or_left(before, shown),
        (sample.t_us - event.t_us) / 1e6,
        (last_us - event.t_us) / 1e6,
    )


def _came_or_left(
    before: Mapping[str, Mapping[int, int]], after: Mapping[str, Mapping[int, int]]
) -> tuple[int, ...]:
    """The numbers of servers that some node had only before, or has only now."""
    found: set[int] = set()
    for node, weights in after.items():
        found |= before.get(node, {}).keys() ^ weights.keys()
    return tuple(sorted(found))


def _tables(run: RecordedRun) -> Iterator[tuple[Sample, Mapping[int, int]]]:
    """Each sample with its weights by the servers' numbers."""
    joined = run.of_type(ServerJoined)
    numbers: dict[str, int] = {}
    for event in joined:  # a row may be seen a moment before its server is known to have joined
        numbers.setdefault(event.server, event.number)
    place = 0
    for sample in run.samples:
        while place < len(joined) and joined[place].t_us <= sample.t_us:
            numbers[joined[place].server] = joined[place].number
            place += 1
        rows = by_address(server for service in sample.services for server in service.servers)
        yield sample, {numbers[a]: row.weight for a, row in rows.items() if a in numbers}

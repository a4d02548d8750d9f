"""When a server that joined or came back was first used, and when it carried its share.

A server comes when it has weight in the kernel's table after it had none, or when it is well
again after a fault, both while the timeline is played. Its share is in balance from the first
second on from which in each second, until the next change of weights or servers' health, the mean
of its active connections is within a quarter of its fair part by weight, or within one
connection; that must be so for two seconds. Those in which its fair part is less than two
connections say nothing.
"""

import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from ipvsload.record.events import ServerCondition
from ipvsload.record.request_table import NOT_KNOWN, RequestTable
from ipvsload.results.change_delays import ChangeResult
from ipvsload.results.weight_course import Reading, WeightCourse

WINDOW_US = 1_000_000
"""Over so much time the mean of active connections is taken."""
TOLERANCE = 0.25
"""A part of the fair share that the mean may be away from it ..."""
CONNECTIONS = 1.0
"""... or so many connections, where that is more."""
STAYS_US = 1_000_000
"""From the first such second to the last one, at least: else it may be chance."""
LEAST_FAIR = 2.0
"""Where the fair part is less than so many connections, chance alone decides."""

TOO_FEW = "its fair part was not two active connections for two seconds"
NEVER = "its active connections never came to stay within a quarter of its fair part"


@dataclass(frozen=True, slots=True)
class JoinedServer:
    """Server `number` came at `at_s` after the run's beginning, when the change began.

    From then on: `first_request_s` until a request was sent that it answered, `balance_s` until
    it carried its share; each None where that never was, and `why` says why there is no balance.
    """

    number: int
    at_s: float
    first_request_s: float | None
    balance_s: float | None
    why: str = ""


class _Came(NamedTuple):
    """A server whose change began at `began_us`; connections can come to it from `t_us` on."""

    address: str
    began_us: int
    t_us: int


def joined_servers(
    readings: Sequence[Reading],
    course: WeightCourse,
    conditions: Sequence[ServerCondition],
    changes: Iterable[ChangeResult],
    requests: RequestTable,
    numbers: Sequence[str],
    start_us: int,
    span: tuple[int, int],
) -> tuple[JoinedServer, ...]:
    """Each server that came within `span`, in the order of time; `numbers` are the addresses."""
    places = {address: number for number, address in enumerate(numbers, 1)}
    began = [round(start_us + change.at_s * 1e6) for change in changes]
    came = sorted(
        (*_with_weight(course, began, span), *_well_again(conditions, span)),
        key=lambda one: one.t_us,
    )
    came = [one for one in came if one.address in places]
    if not came:
        return ()
    first = _first_requests(came, requests)
    turns = sorted({epoch.t_us for epoch in course.epochs} | {e.t_us for e in conditions})
    found = []
    for one, first_us in zip(came, first, strict=True):
        until = next((t for t in turns if t > one.t_us), span[1])
        begins_us = _balanced_from(readings, one, min(until, span[1]))
        found.append(
            JoinedServer(
                places[one.address],
                (one.began_us - start_us) / 1e6,
                None if first_us is None else (first_us - one.began_us) / 1e6,
                None if isinstance(begins_us, str) else (begins_us - one.began_us) / 1e6,
                begins_us if isinstance(begins_us, str) else "",
            )
        )
    return tuple(found)


def _with_weight(
    course: WeightCourse, began: Sequence[int], span: tuple[int, int]
) -> Iterator[_Came]:
    for before, after in pairwise(course.epochs):
        if not span[0] <= after.t_us <= span[1]:
            continue
        # The last step before that changes the table; what a person did has none.
        step_us = max((t for t in began if t <= after.t_us), default=after.before_us)
        for address, weight in after.weights.items():
            if weight and not before.weights.get(address):
                yield _Came(address, step_us, after.t_us)


def _well_again(conditions: Iterable[ServerCondition], span: tuple[int, int]) -> Iterator[_Came]:
    ill: set[str] = set()
    for event in conditions:
        if event.words:
            ill.add(event.server)
        elif event.server in ill:
            ill.remove(event.server)
            if span[0] <= event.t_us <= span[1]:
                yield _Came(event.server, event.t_us, event.t_us)


def _first_requests(came: Sequence[_Came], requests: RequestTable) -> list[int | None]:
    """When the first request was sent after each that this server answered."""
    first: list[int | None] = [None] * len(came)
    places = {text: place for place, text in enumerate(requests.texts)}
    for block in requests.blocks("server", "start_us", "error", "status"):
        begin, answered = int(block.start_us.min()), ~block.failed
        for number, one in enumerate(came):
            found = first[number]
            if found is not None and found <= begin:
                continue
            mine = answered & (block.server == places.get(one.address, NOT_KNOWN))
            starts = block.start_us[mine & (block.start_us >= one.began_us)]
            if len(starts):
                first[number] = min(int(starts.min()), found if found is not None else sys.maxsize)
    return first


def _balanced_from(readings: Sequence[Reading], came: _Came, until_us: int) -> int | str:
    """When the first second begins from which on it carries its share; or why none does."""
    within = [(t_us, table) for t_us, table in readings if came.t_us <= t_us <= until_us]
    times = [t_us for t_us, _ in within]
    mine: list[float] = [0.0]
    fair: list[float] = [0.0]
    for (t_us, table), (next_us, _) in pairwise(within):
        row, took = table.get(came.address), next_us - t_us
        active = sum(one.active for one in table.values() if one.weight)
        total = sum(one.weight for one in table.values())
        mine.append(row.active * took if row else 0.0)
        fair.append(active * row.weight / total * took if row and total else 0.0)
    mine, fair = list(accumulate(mine)), list(accumulate(fair))
    begins: int | None = None
    told: list[int] = []
    for place, t_us in enumerate(times):
        end = bisect_left(times, t_us + WINDOW_US, lo=place)
        if end == len(times):
            break
        took = times[end] - t_us
        part = (fair[end] - fair[place]) / took
        if part < LEAST_FAIR:
            continue
        told.append(t_us)
        away = abs((mine[end] - mine[place]) / took - part)
        if away > max(TOLERANCE * part, CONNECTIONS):
            begins = None
        elif begins is None:
            begins = t_us
    if not told or told[-1] - told[0] < STAYS_US:
        return TOO_FEW
    return NEVER if begins is None or told[-1] - begins < STAYS_US else begins

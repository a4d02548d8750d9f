"""Reading a run directory, in whatever state its writer left it.

After a killed run, a full disk or a copy that was interrupted, files end in the
middle. What is whole is read, and `Recording.ends` says what is missing; what
that means is decided by the results.
"""

import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

from ipvsload.errors import UsageError
from ipvsload.record import codec
from ipvsload.record.column_file import ColumnFile
from ipvsload.record.connection_table import CONNECTION_LAYOUT, NO_CONNECTIONS, ConnectionTable
from ipvsload.record.events import (
    Event,
    ListRead,
    RecordingEnded,
    RunEnded,
    RunInvalid,
    RunPlanned,
    RunStarted,
)
from ipvsload.record.format import (
    CONNECTIONS,
    EVENTS,
    OCCUPANCY,
    REQUEST_LINES,
    REQUESTS,
    RESULTS,
    SAMPLES,
    SCENARIO,
    ListedConnection,
    OccupancySample,
    Request,
    Sample,
)
from ipvsload.record.listed_servers import LastJoin, ListedServers
from ipvsload.record.record_files import header_of, records_of
from ipvsload.record.request_file import NO_REQUESTS, request_file
from ipvsload.record.request_table import RequestTable
from ipvsload.record.witness import Witness

_Event = TypeVar("_Event", bound=Event)


@dataclass(slots=True)
class RecordedRun:
    """One run of a recording: one scheduler, one repeat. All is in the files' order.

    `start_us` is the run's beginning on the recording's clock; `baseline` the
    kernel's connection counters at that time, by server address. `given_label` is
    what the scenario calls what was run, and `forwarding` how the testbed had packets
    reach the real servers, where that is known. `exclusive`:
    nobody else used the balancer, and every answer named its server. `listed` says what the
    director's list of connections told; None where nobody read it.
    """

    number: int
    scheduler: str = "unknown"
    given_label: str = ""
    netmask: int | None = None
    repeat: int = 1
    kernel: dict[str, Any] = field(default_factory=dict)
    service: str = ""
    forwarding: str | None = None
    baseline: dict[str, int] = field(default_factory=dict)
    exclusive: bool = False
    start_us: int = 0
    events: list[Event] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    requests: RequestTable = field(default_factory=lambda: RequestTable.of(0, ()))
    listed: ListedServers | None = None
    occupancy: list[OccupancySample] = field(default_factory=list)

    def of_type(self, event_type: type[_Event]) -> list[_Event]:
        """This run's events of one type."""
        return [event for event in self.events if isinstance(event, event_type)]

    @property
    def label(self) -> str:
        """What names it beside other runs."""
        return self.given_label or self.scheduler

    @property
    def end_us(self) -> int:
        """The latest time that any of its records knows."""
        return max(
            self.start_us,
            max((event.t_us for event in self.events), default=0),
            self.samples[-1].t_us if self.samples else 0,
            self.occupancy[-1].t_us if self.occupancy else 0,
            self.requests.last_end_us,
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """A run directory's contents.

    `ends` is empty for a recording that ended in order; otherwise each line
    says, for people, where it ends or what is missing. `events` are those of no single run.
    """

    directory: Path
    header: codec.Header
    scenario_text: str | None
    runs: tuple[RecordedRun, ...]
    ends: tuple[str, ...]
    events: tuple[Event, ...] = ()

    def of_type(self, event_type: type[_Event]) -> list[_Event]:
        """The events of one type that are of no single run."""
        return [event for event in self.events if isinstance(event, event_type)]

    def witness(self, run: RecordedRun) -> Witness | None:
        """What packets say of this run's connections; None where nobody watched them.

        Times are on the recording's clock. Raises FormatError for a damaged file.
        """
        from ipvsload.record.packet_file import read_packets  # numpy: only where it is used

        return read_packets(self.directory, run.number)


class _Numbered(Protocol):
    @property
    def run(self) -> int: ...


_Record = TypeVar("_Record", bound=_Numbered)
_Decode: TypeAlias = Callable[[list[bytes]], list[_Record]]


def read(directory: Path, *, events_only: bool = False) -> Recording:
    """Read a run directory, or of it only what its events say.

    Raises UsageError if it is not one, cannot be read, or was written in another
    version of the format.
    """
    directory = Path(directory)
    names = (EVENTS, SAMPLES, REQUESTS, REQUEST_LINES)
    if not any((directory / name).is_file() for name in names):
        raise UsageError(f"{directory} {_why_no_record(directory)}")
    notes: list[str] = []
    samples: list[Sample] = []
    requests, connections = NO_REQUESTS, NO_CONNECTIONS
    occupancy: list[OccupancySample] = []
    with _no_collector():
        header = header_of(directory / EVENTS, []) or codec.Header("events")
        events = _all_of(directory / EVENTS, codec.decode_events, notes)
        if not events_only:
            samples = _all_of(directory / SAMPLES, codec.decode_samples, notes)
            requests = request_file(directory, notes)
            if (path := directory / CONNECTIONS).exists():
                connections = ColumnFile.read(path, CONNECTION_LAYOUT, notes)
            if (directory / OCCUPANCY).exists():  # else no server told how busy it is
                occupancy = _all_of(directory / OCCUPANCY, codec.decode_occupancy, notes)
        recording, ordered = runs_of(
            events, samples, requests, requests.runs, connections, occupancy
        )
    notes += [event.reason for event in recording if isinstance(event, RunInvalid)]
    if not any(isinstance(event, RecordingEnded) for event in events):
        notes = [_where(ordered) + (": " + "; ".join(notes) if notes else "")]
    text = _scenario_text(directory)
    return Recording(directory, header, text, ordered, tuple(notes), tuple(recording))


def runs_of(
    events: list[Event],
    samples: list[Sample],
    requests: ColumnFile[Request],
    request_runs: Iterable[int],
    connections: ColumnFile[ListedConnection],
    occupancy: list[OccupancySample],
) -> tuple[list[Event], tuple[RecordedRun, ...]]:
    """The events of no single run, and the runs that the others are of, by their number.

    `requests` may be of more runs than `request_runs`.
    """
    its_events, its_samples = _by_run(events), _by_run(samples)
    its_occupancy = _by_run(occupancy)
    recording = its_events.pop(0, [])
    runs = tuple(
        RecordedRun(
            number,
            events=its_events[number],
            samples=its_samples[number],
            requests=RequestTable(number, requests),
            occupancy=its_occupancy[number],
        )
        for number in sorted({*its_events, *its_samples, *request_runs, *its_occupancy})
    )
    for run in runs:
        _describe(run)
    found = _listed(runs, requests, connections)
    for run in runs:
        if listed := found.get(run.number):
            run.listed, run.requests = listed, run.requests.filled_by(listed)
    return recording, runs


def listed_servers(directory: Path, runs: Iterable[RecordedRun]) -> dict[int, ListedServers]:
    """By run what the directors' lists of connections told, of a recording read `events_only`."""
    path = directory / CONNECTIONS
    if not path.exists():
        return {}
    connections = ColumnFile.read(path, CONNECTION_LAYOUT, [])
    return _listed(runs, request_file(directory, []), connections)


def _listed(
    runs: Iterable[RecordedRun],
    requests: ColumnFile[Request],
    connections: ColumnFile[ListedConnection],
) -> dict[int, ListedServers]:
    last, found = LastJoin(), {}
    for run in runs:
        table = ConnectionTable(run.number, connections)
        if len(table) or run.of_type(ListRead):
            its = RequestTable(run.number, requests)
            found[run.number] = ListedServers(its, table, run.events, last)
    return found


def _why_no_record(directory: Path) -> str:
    if not directory.is_dir():
        return "is a file: name the run directory" if directory.exists() else "does not exist"
    if (directory / RESULTS).is_file():
        return (
            "has results without a record of single connections: its tables are in summary.md"
            " (simulate without --summary to have a record)"
        )
    return "is not a run directory: no events.ndjson in it"


def _describe(run: RecordedRun) -> None:
    """Fill in what the run's first events say; without them, what its samples show."""
    for planned in run.of_type(RunPlanned):
        run.start_us, run.repeat = planned.t_us, planned.repeat
        run.scheduler = planned.scheduler or run.scheduler
        run.given_label = planned.label or ""
    begun = run.of_type(RunStarted)
    if begun:
        run.start_us = begun[0].t_us
        run.scheduler, run.repeat = begun[0].scheduler or run.scheduler, begun[0].repeat
        run.given_label, run.netmask = begun[0].label or "", begun[0].netmask
        run.kernel, run.service = begun[0].kernel, begun[0].service
        run.baseline, run.forwarding = begun[0].baseline_conns, begun[0].forwarding
        told = begun[0].exclusive
        # Version 0.1.0 did not record it: "node" was every kernel that was not the lab's own.
        run.exclusive = run.kernel.get("provider", "node") != "node" if told is None else told
        return
    service = next((one for sample in run.samples for one in sample.services), None)
    if service is not None:
        run.scheduler, run.service = service.scheduler, service.key
        run.start_us = run.samples[0].t_us


def _where(runs: tuple[RecordedRun, ...]) -> str:
    if not runs:
        return "the recording ends before its first run"
    last = max(runs, key=lambda run: run.end_us)
    place = f"run {last.number} ({last.label})"
    where = "after" if last.of_type(RunEnded) else "in"
    return f"the recording ends at {last.end_us / 1e6:.1f} s {where} {place}"


def _all_of(path: Path, decode: _Decode[_Record], notes: list[str]) -> list[_Record]:
    """The whole records of one file; what is wrong goes to `notes`."""
    found: list[_Record] = []
    for some in records_of(path, decode, notes):
        found += some
    return found


def _scenario_text(directory: Path) -> str | None:
    try:
        return (directory / SCENARIO).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _by_run(records: list[_Record]) -> defaultdict[int, list[_Record]]:
    found: defaultdict[int, list[_Record]] = defaultdict(list)
    for record in records:
        found[record.run].append(record)
    return found


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without the cycle collector, which only takes time: the new objects have no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

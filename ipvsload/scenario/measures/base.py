"""What a measure is: its row in the table of measures, and what its value is made of.

A measure is live (a wait reads it while the load runs), final (an expectation
reads it when the run is over), or both. A row has all that is known of one
measure; checks, messages and values are made from it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from ipvsload.ipvs.table import RealServer
from ipvsload.scenario.bounds import Bound
from ipvsload.scenario.planned_state import Limit, PlannedState

Selector = Literal["class", "server", "scheduler", "kind"]
SELECTORS: tuple[Selector, ...] = ("class", "server", "scheduler", "kind")
Unit = Literal["number", "fraction", "ms", "s", "1/s", "truth"]
Better = Literal["less", "greater"]
"""Which way is good."""
Source = Literal["load", "table", "servers"]
_SELECTED = re.compile(r'(\w+)=("[^"]*"|[^,}]+)')


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure with its selectors; servers are numbered from 1 as they joined.

    `kind` is that of failures: a word of failures.py, or such as "status 503".
    """

    name: str
    class_: str | None = None
    server: int | None = None
    scheduler: str | None = None
    kind: str | None = None

    def __str__(self) -> str:
        kind = f'"{self.kind}"' if self.kind and not self.kind.isalnum() else self.kind
        values = (self.class_, self.server, self.scheduler, kind)
        parts = dict(zip(SELECTORS, values, strict=True))
        given = ", ".join(f"{key}={value}" for key, value in parts.items() if value is not None)
        return f"{self.name}{{{given}}}" if given else self.name

    @classmethod
    def of(cls, text: str) -> "Measure":
        """The measure of which this is the text, as `str` makes it."""
        name, _, rest = text.partition("{")
        given = {key: value.strip('"') for key, value in _SELECTED.findall(rest)}
        server = given.get("server")
        return cls(
            name,
            given.get("class"),
            int(server) if server else None,
            given.get("scheduler"),
            given.get("kind"),
        )


class ClassCounts(Protocol):
    """A traffic class as the load engine counts it."""

    @property
    def requests(self) -> int:
        """Finished requests, failed ones too."""

    @property
    def failures(self) -> int:
        """Failed requests: no answer, or a status of 400 and more."""

    @property
    def inflight(self) -> int:
        """Requests that were sent and have not finished."""

    @property
    def users(self) -> int:
        """Users that are at work."""

    @property
    def done(self) -> bool:
        """It was started, will send no more, and has nothing in flight."""

    @property
    def started(self) -> bool:
        """It was started at least once."""


class Occupied(Protocol):
    """What a server with a capacity says of itself now."""

    @property
    def busy(self) -> int:
        """Workers that are at work."""

    @property
    def queued(self) -> int:
        """Requests that wait for a worker."""


class LiveCounts(NamedTuple):
    """What is known at one moment of a run.

    `servers` are the addresses of all real servers that joined, in that order.
    `table` has the kernel's counts by address; None while there is no sample
    that is new enough. `elapsed` is in seconds. `occupancy` has what servers say of
    themselves by address; None while they said nothing that is new enough.
    """

    classes: Mapping[str, ClassCounts]
    servers: Sequence[str]
    table: Mapping[str, RealServer] | None
    elapsed: float
    occupancy: Mapping[str, Occupied] | None = None


class RequestTotals(Protocol):
    """What the generators saw in one run, by class and server address; None means all."""

    @property
    def unknown(self) -> Mapping[str, int]:
        """Answered requests by class whose server nobody knows."""

    def requests(self, traffic: str | None, server: str | None) -> int | None:
        """Finished requests; None where the server is not known of all answered ones."""

    def failures(self, traffic: str | None, server: str | None, kind: str | None = None) -> int:
        """Failed requests, or those of a kind."""

    def retries(self, traffic: str | None) -> int:
        """How often a request was sent a second time."""

    def share(self, traffic: str | None, server: str | None) -> float | None:
        """The server's part, 0 to 1, of all finished requests, failed ones too."""

    def rps(self, traffic: str | None, server: str | None) -> float | None:
        """Finished requests per second; None where no time passed."""

    def latencies(self, traffic: str | None, server: str | None) -> Sequence[int]:
        """Latencies of answered requests in µs, ascending."""

    def queue_times(self, traffic: str | None, server: str | None) -> Sequence[int]:
        """Times of answered requests in their server's queue in µs, ascending."""


class TableTotals(Protocol):
    """What the kernel counted in one run, for one server or for all."""

    @property
    def connections(self) -> int | None:
        """Connections that were scheduled."""

    @property
    def active_max(self) -> int | None:
        """Greatest number of active connections in any sample."""

    @property
    def inactive_max(self) -> int | None:
        """Greatest number of inactive connections in any sample."""


class OccupancyTotals(Protocol):
    """What one server with a capacity said of itself over the run, or all together."""

    @property
    def busy_max(self) -> int:
        """Greatest number of busy workers in any sample."""

    @property
    def queue_max(self) -> int:
        """Greatest number of waiting requests in any sample."""

    @property
    def utilisation(self) -> float | None:
        """Mean of busy workers by their number, 0 to 1."""


class EvennessTotals(Protocol):
    """How evenly something was spread over the servers, as a mean over time."""

    @property
    def jain(self) -> float:
        """Jain's index, 1/n to 1."""

    @property
    def peak(self) -> float:
        """The greatest part by the mean one, 1 to n."""


class RecordTotals(Protocol):
    """What only a record of single connections and samples says; None where it says nothing.

    Classes by name, servers by address; by number where `server` is one. Times in s.
    """

    @property
    def active(self) -> EvennessTotals | None:
        """Of active connections by weight."""

    @property
    def utilisation(self) -> EvennessTotals | None:
        """Of the servers' utilisation."""

    @property
    def lateness_ms(self) -> Mapping[str, Mapping[str, float]]:
        """How late each open class was sent: the figures of sent_late.py in ms."""

    def weight_departure(self, traffic: str | None, address: str | None) -> float | None:
        """How far the server's share is from its weight's; the greatest without a server."""

    def lost(self, traffic: str | None, address: str | None) -> int | None:
        """Requests that failed since their server was removed, killed or drained."""

    def table_delay(self, server: int | None) -> float | None:
        """From a change to its row in the kernel's table; the greatest of all changes."""

    def first_request_delay(self, server: int | None) -> float | None:
        """From a change that brought a server to the first request that it serves."""

    def balance_time(self, server: int | None) -> float | None:
        """From a change that brought a server until it carries its share."""

    def why_no_balance(self, server: int | None) -> str:
        """Why there is no such time."""


class FinalCounts(NamedTuple):
    """What is known when a run is over.

    `by_server` has the kernel's counts by address, `occupancy` what the servers said, and
    under None what all together come to. `record` is None where no record was kept.
    """

    requests: RequestTotals
    table: TableTotals
    by_server: Mapping[str, TableTotals]
    occupancy: Mapping[str | None, OccupancyTotals]
    record: RecordTotals | None = None


Bounds = Callable[[PlannedState, Measure], Bound]


def at_most(limit: Limit) -> Bounds:
    """From 0 to a limit of the measure's class, or of all classes together."""
    return lambda planned, measure: planned.at_most(limit, measure.class_)


class Live(NamedTuple):
    """A measure in a wait.

    `value` is None while it is not known; `bound` is what it can be at a point
    of the timeline. `polled`: no event tells of its change, so it is asked for
    again every few milliseconds.
    """

    selectors: tuple[Selector, ...]
    value: Callable[[LiveCounts, Measure], float | None]
    bound: Bounds
    polled: bool = False


class Final(NamedTuple):
    """A measure in an expectation.

    `value` takes the address of the server that the measure names, or None, and
    is None where there are no data; `why` says then what is missing. `needs`
    must be given. Under `compare` it takes `scheduler` besides.
    """

    selectors: tuple[Selector, ...]
    value: Callable[[FinalCounts, Measure, str | None], float | None]
    why: Callable[[FinalCounts, Measure], str]
    needs: tuple[Selector, ...] = ()


class MeasureKind(NamedTuple):
    """One row: a measure's name and unit, and where it may stand.

    Compared with a percentage it is the part that it is of the measure `part_of`, with
    the same selectors. `better` says which way is good, where that does not depend on what
    somebody wants. `source` says who alone can tell it: the load, who reads the kernel's
    table, or real servers with a capacity. Formulas stand in docs/measures.md.
    """

    name: str
    unit: Unit
    live: Live | None = None
    final: Final | None = None
    part_of: str | None = None
    better: Better | None = None
    source: Source = "load"

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Every selector that it takes anywhere."""
        live = self.live.selectors if self.live else ()
        final = (*self.final.selectors, "scheduler") if self.final else ()
        return tuple(selector for selector in SELECTORS if selector in live + final)

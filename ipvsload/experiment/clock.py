"""The time of a run and how it waits, as a run needs them.

The engine (run.py) knows no event loop and no system clock. It is given these
two, so that the same engine plays a scenario on a real testbed in real time
and on a simulated one in no time.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from ipvsload.record.events import ListRead
from ipvsload.record.format import NewConnections, OccupancySample, Sample
from ipvsload.record.sidecar_stream import NodeLost
from ipvsload.scenario.actions.base import ActionTarget


class Clock(Protocol):
    """The one clock of a recording."""

    def now_us(self) -> int:
        """Microseconds since the recording began."""

    @property
    def zero_ns(self) -> int:
        """When it is zero, by the load generator's clock, in ns."""

    def from_ns(self, monotonic_ns: int) -> int:
        """A time of the load generator's clock (in ns) on this one."""


class RequestedAction(Protocol):
    """An action that a person asked for in the middle of a run."""

    def carry_out(self, target: ActionTarget, done: Callable[[str], None]) -> None:
        """Carry it out on `target`, and call `done` with what was done, in words."""


Seen: TypeAlias = Sample | NewConnections | ListRead | NodeLost | BaseException
"""What is told of a service: a sample of the table, connections out of the director's list, how
far these are known, a node that gives no more, or the error that ended all."""
Follower: TypeAlias = Callable[[Seen], None]

News: TypeAlias = Seen | OccupancySample | RequestedAction | None
"""What a run is told: what is seen of its service, what the servers say of themselves, an action
to carry out, or None, which says that something else may have changed."""


class Inbox(Protocol):
    """Where a run's news arrive, in their order. This is all that a run waits for."""

    def put(self, news: News) -> None:
        """Add something; does not wait."""

    def get(self, until_us: int | None = None) -> News:
        """Take the next; waits for it until that time of the run's clock, then returns None."""

    def take_all(self) -> list[News]:
        """Take everything that is there now; does not wait."""

    def run_in_background(self, work: Callable[[], None]) -> None:
        """Run `work` while the run goes on; when it ends, put None, or what it raised."""

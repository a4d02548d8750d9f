"""What all runs of a session share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ipvsload.experiment.clock import Clock, Follower, Inbox
from ipvsload.experiment.progress import Progress
from ipvsload.load.base import LoadMaker
from ipvsload.record.clock_alignment import Alignment
from ipvsload.record.format import OccupancySample
from ipvsload.record.sidecar_stream import Settings
from ipvsload.record.writer import RunWriter
from ipvsload.scenario.model import Scenario
from ipvsload.testbed.base import PlayedTestbed, Target


class SampleSource(Protocol):
    """Where a run's samples come from: the sidecar."""

    @property
    def hz(self) -> float:
        """How many samples a second it promises."""

    def follow(
        self, run: int, key: str, follower: Follower | None, listed: Target | None = None
    ) -> None:
        """From now on hand samples of service `key` to `follower`, marked with the run's number.

        And the connections that the director has listed for the service `listed`, if any, instead
        of those of another run. Without a follower, those of that run to nobody any more.
        """

    def look(self, *, connections: bool = False) -> None:
        """Have a sample soon; with `connections` also what was made until now, and all of it."""

    @property
    def tells_connections(self) -> bool:
        """Whether it can tell the connections of a service."""

    @property
    def settings(self) -> Mapping[str, Settings]:
        """What is set on each director, by the node's name, as it was told last."""

    def align(self) -> dict[str, Alignment]:
        """How far each node's clock is from ours, by the node's name. Raises TestbedError."""


class OccupancySource(Protocol):
    """Where it comes from what real servers tell of themselves."""

    def follow(self, run: int, follower: Callable[[OccupancySample], None] | None) -> None:
        """From now on hand what they tell, marked with the run's number, to `follower`."""


@dataclass(frozen=True)
class RunContext:
    """A testbed that is up, its samples, the load, and where things are told and recorded."""

    scenario: Scenario
    testbed: PlayedTestbed
    writer: RunWriter
    clock: Clock
    inbox: Inbox
    samples: SampleSource
    make_load: LoadMaker
    progress: Progress
    occupancy: OccupancySource | None = None
    """None where real servers tell nothing of themselves."""
    apart: Mapping[str, int] = field(default_factory=dict)
    """Labels of columns that do not have the arrivals, work and draws of their block, but those
    of a block that is so many later."""

    def draws(self, label: str, repeat: int) -> int:
        """The block whose arrivals, work and draws a column has in block `repeat`."""
        return repeat + self.apart.get(label, 0)

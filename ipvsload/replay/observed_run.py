"""A recorded run as replays take it: what was seen of its connections is looked up once.

A replay is tried several times, with wider searches and other laws of lc, and the run may have
millions of requests.
"""

from collections.abc import Iterable
from functools import cached_property

from ipvsload.record.reader import RecordedRun
from ipvsload.record.witness import Witness
from ipvsload.replay.carried_connections import CarriedConnection, carried_connections
from ipvsload.replay.director_events import DirectorEvent, path_ns, requested, witnessed
from ipvsload.replay.recorded_directors import RecordedDirector, recorded_directors
from ipvsload.scenario.model import Scenario


class ObservedRun:
    """A run with the packets of its `witness`; where there is None, with its requests alone."""

    def __init__(
        self, run: RecordedRun, scenario: Scenario | None, witness: Witness | None
    ) -> None:
        self.run = run
        self.witness = witness
        self._scenario = scenario
        apart = run.kernel.get("packet_order_us")
        self.apart_ns = apart * 1000 if isinstance(apart, int) else 0
        """How far apart packets may be that passed the other way round."""

    @cached_property
    def path_ns(self) -> int:
        """How far from its recorded time what requests tell may have happened."""
        return path_ns(self.run.requests) if self.witness is None else 0

    def directors(self, lc_law: int) -> list[RecordedDirector]:
        """Those that balanced. Raises NotReplayableError."""
        return recorded_directors(self.run, self._scenario, lc_law)

    def events(self, director: RecordedDirector) -> Iterable[DirectorEvent]:
        """What passed through this one of them, in the order of the recorded times."""
        if self.witness is not None:
            return witnessed(self.witness, self.apart_ns, director.through)
        mine: Iterable[CarriedConnection] = self._carried
        if director.through:
            mine = (one for one in mine if one.first.director == director.number)
        return requested(mine, self.path_ns)

    @cached_property
    def _carried(self) -> tuple[CarriedConnection, ...]:
        return tuple(carried_connections(self.run.requests))

"""The part of a recorded run that went through one director, replayed."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ipvsload.ipvs_model.schedulers.base import RuleSettings
from ipvsload.replay.counted_events import EXPIRY_NS, ServerNumbers, counted_events
from ipvsload.replay.director_events import DirectorEvent
from ipvsload.replay.model_alone import model_alone
from ipvsload.replay.observed_run import ObservedRun
from ipvsload.replay.order_search import OrderSearch, Replayed
from ipvsload.replay.recorded_directors import RecordedDirector
from ipvsload.replay.rule_state import RuleState

_TRIED = 150
_TRIED_WITHOUT_PACKETS = 40
"""Positions that are tried for a connection, on the average: each takes some 10 us."""


class DirectorReplay:
    """The decisions of `director` in a run."""

    def __init__(
        self,
        director: RecordedDirector,
        observed: ObservedRun,
        widest: int,
        *,
        every_table: bool = False,
    ) -> None:
        self.director = director
        self.addresses = ServerNumbers(director.table).addresses
        self._observed = observed
        state = self._state()
        self.by_counts = state.by_counts
        """Whether the rule goes by counts and weights alone."""
        tried = _TRIED if observed.witness else _TRIED_WITHOUT_PACKETS
        self._search = OrderSearch(
            state,
            "mismatched" if self.exact else "unexplained",
            self._span_ns(),
            widest,
            tried * (observed.run.requests.connections + 500),
            self._state() if every_table else None,
        )

    def replayed(self) -> Iterator[Replayed]:
        """Each decision; to be called once."""
        director = self.director
        return self._search.run(counted_events(self._events(), director.table, director.settings))

    @property
    def exact(self) -> bool:
        """Whether the order of all packets is known."""
        return self._observed.witness is not None and not self._observed.apart_ns

    def alone(self) -> Counter[str]:
        """What the model alone gives to each server's address."""
        return model_alone(self._events(), self.director.table, self.director.settings)

    def address(self, number: int | None) -> str | None:
        """A server's address by its number."""
        return None if number is None else self.addresses[number]

    def _events(self) -> Iterable[DirectorEvent]:
        return self._observed.events(self.director)

    def _state(self) -> RuleState:
        own = self.director.settings
        rule = RuleSettings(own.destination, own.flags, own.lc_law, own.draw)
        return RuleState(own.scheduler, self.director.table, rule)

    def _span_ns(self) -> int:
        """How far from its recorded time an event may be at most."""
        spans = [one.late_ns - one.early_ns for one in self.director.table.changes]
        seen = self._observed
        return max(seen.apart_ns, 2 * seen.path_ns, EXPIRY_NS, *spans)

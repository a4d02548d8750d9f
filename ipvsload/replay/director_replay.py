"""The part of a recorded run that went through one director, replayed."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ipvsload.ipvs_model.schedulers.base import RuleSettings
from ipvsload.record.reader import RecordedRun
from ipvsload.record.witness import Witness
from ipvsload.replay.carried_connections import carried_connections
from ipvsload.replay.counted_events import EXPIRY_NS, ServerNumbers, counted_events
from ipvsload.replay.director_events import (
    DirectorEvent,
    path_ns,
    requested,
    witnessed,
)
from ipvsload.replay.model_alone import model_alone
from ipvsload.replay.order_search import OrderSearch, Replayed
from ipvsload.replay.recorded_directors import RecordedDirector
from ipvsload.replay.rule_state import RuleState

_TRIED = 150
_TRIED_WITHOUT_PACKETS = 40
"""Positions that are tried for a request, on the average: each takes some 10 us."""


class DirectorReplay:
    """Decisions of `director` in `run`, by the packets of `witness`, without it by requests."""

    def __init__(
        self,
        director: RecordedDirector,
        run: RecordedRun,
        witness: Witness | None,
        widest: int,
        *,
        every_table: bool = False,
    ) -> None:
        self.director = director
        self.addresses = ServerNumbers(director.table).addresses
        self._witness = witness
        self._requests = run.requests
        self._path_ns = 0 if witness else path_ns(self._requests)
        apart = run.kernel.get("packet_order_us")
        self._apart_ns = apart * 1000 if isinstance(apart, int) else 0
        state = self._state()
        self.by_counts = state.by_counts
        """Whether the rule goes by counts and weights alone."""
        self._search = OrderSearch(
            state,
            "mismatched" if self.exact else "unexplained",
            self._span_ns(),
            widest,
            (_TRIED if witness else _TRIED_WITHOUT_PACKETS) * (len(self._requests) + 500),
            self._state() if every_table else None,
        )

    def replayed(self) -> Iterator[Replayed]:
        """Each decision; to be called once."""
        director = self.director
        return self._search.run(counted_events(self._events(), director.table, director.settings))

    @property
    def exact(self) -> bool:
        """Whether the order of all packets is known."""
        return self._witness is not None and not self._apart_ns

    def alone(self) -> Counter[str]:
        """What the model alone gives to each server's address."""
        return model_alone(self._events(), self.director.table, self.director.settings)

    def address(self, number: int | None) -> str | None:
        """A server's address by its number."""
        return None if number is None else self.addresses[number]

    def _events(self) -> Iterable[DirectorEvent]:
        number, through = self.director.number, self.director.through
        if self._witness is not None:
            return witnessed(self._witness, self._apart_ns, through)
        found = carried_connections(self._requests, number if through else None)
        return requested(found, self._path_ns)

    def _state(self) -> RuleState:
        own = self.director.settings
        rule = RuleSettings(own.destination, own.flags, own.lc_law, own.draw)
        return RuleState(own.scheduler, self.director.table, rule)

    def _span_ns(self) -> int:
        """How far from its recorded time an event may be at most."""
        spans = [one.late_ns - one.early_ns for one in self.director.table.changes]
        return max(self._apart_ns, 2 * self._path_ns, EXPIRY_NS, *spans)

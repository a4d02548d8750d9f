"""The part of a recorded run that went through one director, replayed."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ipvsload.ipvs_model.schedulers.base import RuleSettings
from ipvsload.record.reader import RecordedRun
from ipvsload.record.witness import Witness
from ipvsload.replay.counted_events import EXPIRY_NS, ServerNumbers, counted_events
from ipvsload.replay.director_events import (
    CABLES_APART_NS,
    FIN_EARLY_NS,
    FIN_LATE_NS,
    SYN_LATE_NS,
    DirectorEvent,
    requested,
    witnessed,
)
from ipvsload.replay.model_alone import model_alone
from ipvsload.replay.order_search import OrderSearch, Replayed
from ipvsload.replay.recorded_directors import RecordedDirector
from ipvsload.replay.rule_state import RuleState


class DirectorReplay:
    """Decisions of `director` in `run`, by the packets of `witness`, without it by requests."""

    def __init__(
        self,
        director: RecordedDirector,
        run: RecordedRun,
        witness: Witness | None,
        *,
        every_table: bool = False,
    ) -> None:
        self.director = director
        self.addresses = ServerNumbers(director.table).addresses
        self._run = run
        self._witness = witness
        self._search = OrderSearch(
            self._state(),
            "mismatched" if witness else "unexplained",
            self._span_ns(),
            every_table=every_table,
        )

    def replayed(self) -> Iterator[Replayed]:
        """Each decision; to be called once."""
        director = self.director
        return self._search.run(counted_events(self._events(), director.table, director.settings))

    def alone(self) -> Counter[str]:
        """What the model alone gives to each server's address."""
        return model_alone(self._events(), self.director.table, self.director.settings)

    def address(self, number: int | None) -> str | None:
        """A server's address by its number."""
        return None if number is None else self.addresses[number]

    @property
    def gave_up(self) -> int:
        """Decisions until now for which not all orders were tried."""
        return self._search.gave_up

    def _events(self) -> Iterable[DirectorEvent]:
        number, through = self.director.number, self.director.through
        if self._witness is not None:
            return witnessed(self._witness, through)
        requests = self._run.requests
        mine = [one for one in requests if one.director == number] if through else requests
        return requested(mine, self._run.end_us * 1000)

    def _state(self) -> RuleState:
        own = self.director.settings
        rule = RuleSettings(own.destination, own.flags, own.lc_law, own.draw)
        return RuleState(own.scheduler, self.director.table, rule)

    def _span_ns(self) -> int:
        """How far from its recorded time an event may be, but for ends of kept connections."""
        spans = [one.late_ns - one.early_ns for one in self.director.table.changes]
        if self._witness is None:
            spans += [SYN_LATE_NS, FIN_EARLY_NS, FIN_LATE_NS]
        return max(CABLES_APART_NS, EXPIRY_NS, *spans)

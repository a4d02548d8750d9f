"""What each event of a director changes in its table, with the measured choices.

A connection's server is known, so its counts do not depend on what the rule would have chosen:
they are worked out once here, by the model of connections, in the order of the recorded times.
What the rule chooses is looked for afterwards (order_search.py), also in other orders.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule
from ipvsload.record.format import NO_SERVER
from ipvsload.replay.director_events import DirectorEvent, EventKind
from ipvsload.replay.table_changes import ServerTable, TableChange

CountChange = tuple[int, int, int]
"""A server's number, and by how much its active and inactive connections change."""
UNKNOWN = -1
"""The chosen server of a connection whose server nobody knows."""
EXPIRY_NS = 10_000_000
"""A connection is forgotten at a tick of the kernel's clock, whose place nobody knows."""


class CountedEvent:
    """One event with what it changes, at some time from `early_ns` to `late_ns`.

    `place` counts the director's events in the order of their recorded times. A `decision` is
    a new connection; `chosen` is its server's number, None where it got none. `asked` says
    whether the rule chose; otherwise `followed` is the server of the client's template.
    """

    __slots__ = ("asked", "change", "chosen", "client", "counts", "decision", "early_ns",
                 "followed", "late_ns", "line", "place", "t_ns")  # fmt: skip

    def __init__(self, place: int, t_ns: int, early_ns: int, late_ns: int) -> None:
        self.place = place
        self.t_ns, self.early_ns, self.late_ns = t_ns, early_ns, late_ns
        self.counts: Sequence[CountChange] = ()
        self.line: int | None = None
        self.client: Client | None = None
        self.decision = self.asked = False
        self.chosen: int | None = None
        self.followed: int | None = None
        self.change: TableChange | None = None


class _AskedRule(SchedulerRule):
    """In the place of a rule: notes whether it was asked, and whose counts have changed."""

    name: ClassVar[str]

    asked = False
    noted: set[int]

    def choose(self, client: Client) -> int | None:
        """None, and this is noted."""
        self.asked = True
        return None

    def counted(self, number: int) -> None:
        """Note it."""
        self.noted.add(number)


class ServerNumbers:
    """The number of each server of a table: as they join, an address that joins again has two."""

    def __init__(self, table: ServerTable) -> None:
        self.addresses = [address for address, _ in table.servers]
        self.now = {address: number for number, address in enumerate(self.addresses)}
        present = set(self.now)
        self.of_change: list[int] = []
        """By the place of a change: the number of its server, -1 where it is the scheduler's."""
        latest = dict(self.now)
        for change in table.changes:
            if change.scheduler:
                self.of_change.append(-1)
                continue
            if change.weight is not None and change.address not in present:
                latest[change.address] = len(self.addresses)
                self.addresses.append(change.address)
                present.add(change.address)
            elif change.weight is None:
                present.discard(change.address)
            self.of_change.append(latest.get(change.address, -1))


def counted_events(
    events: Iterable[DirectorEvent], table: ServerTable, settings: ServiceSettings
) -> Iterator[CountedEvent]:
    """All of them and the table's changes, in the order of time.

    A SYN that is sent again is not there. One whose server nobody knows is: `chosen` is -1.
    """
    return _Counting(table, settings).run(events)


class _Counting:
    def __init__(self, table: ServerTable, settings: ServiceSettings) -> None:
        self._table = table
        self._numbers = ServerNumbers(table)
        self._model = DirectorModel(settings)
        self._rule = _AskedRule(self._model.servers, self._model.rule.settings)
        self._rule.noted = set()
        self._model.rule = self._rule
        for address in self._numbers.addresses:
            self._model.join(address, 0)
        for number in range(len(self._numbers.addresses)):
            if number < len(table.servers):
                self._model.set_weight(number, table.servers[number][1])
            else:
                self._model.leave(number, 0)
        many = len(self._numbers.addresses)
        self._was = [(0, 0)] * many
        self._begun: set[Client] = set()
        """Connections without a FIN or RST until now."""
        self._place = -1

    def run(self, events: Iterable[DirectorEvent]) -> Iterator[CountedEvent]:
        changes = list(zip(self._table.changes, self._numbers.of_change, strict=True))[::-1]
        model, rule = self._model, self._rule
        for event in events:
            now = event.t_ns
            while changes and changes[-1][0].late_ns <= now:
                yield from self._changed(*changes.pop())
            if event.server and event.server not in self._numbers.now:
                yield from self._joined_by(event, changes)
            model.expire(now)
            if rule.noted:
                yield self._expired(now)
            counted = self._counted(event)
            if counted is not None:
                yield counted
        while changes:
            yield from self._changed(*changes.pop())

    def _joined_by(
        self, event: DirectorEvent, changes: list[tuple[TableChange, int]]
    ) -> Iterator[CountedEvent]:
        """A SYN went to a server that may have joined later, by the record: so it had joined."""
        for place in reversed(range(len(changes))):
            change, number = changes[place]
            if change.address == event.server and change.early_ns <= event.late_ns:
                del changes[place]
                joined = max(change.early_ns, event.t_ns)
                yield from self._changed(change._replace(late_ns=joined), number)
                return

    def _next(self, t_ns: int, early_ns: int, late_ns: int) -> CountedEvent:
        self._place += 1
        return CountedEvent(self._place, t_ns, early_ns, late_ns)

    def _expired(self, now: int) -> CountedEvent:
        found = self._next(now, now - EXPIRY_NS, now + EXPIRY_NS)
        found.counts = self._counts()
        return found

    def _counted(self, event: DirectorEvent) -> CountedEvent | None:
        now, kind, client = event.t_ns, event.kind, event.client
        model = self._model
        if kind != EventKind.SYN:
            if kind == EventKind.FIN:
                model.closing(client, event.side, now)
            else:
                model.reset(client, event.side, now)
            self._begun.discard(client)
            if not self._rule.noted:
                return None
            found = self._next(now, event.early_ns, event.late_ns)
            found.line, found.client = event.line, client
            found.counts = self._counts()
            return found
        self._rule.asked = False
        followed = model.choose(client, now)
        if client in self._begun or (not self._rule.asked and not model.settings.persistence):
            return None  # the same SYN again, or one that an old connection takes
        found = self._next(now, event.early_ns, event.late_ns)
        found.line, found.client = event.line, client
        found.decision, found.asked, found.followed = True, self._rule.asked, followed
        if event.server is None:
            found.chosen = UNKNOWN
        elif event.server != NO_SERVER:
            found.chosen = self._numbers.now.get(event.server, UNKNOWN)
        if found.chosen is not None and found.chosen >= 0:
            model.opened(client, found.chosen, now)
            self._begun.add(client)
        found.counts = self._counts()
        return found

    def _changed(self, change: TableChange, number: int) -> Iterator[CountedEvent]:
        found = self._next(change.late_ns, change.early_ns, change.late_ns)
        found.change, found.chosen = change, number
        if number >= 0 and change.weight is None:
            self._model.leave(number, change.late_ns)
        elif number >= 0 and change.weight is not None:
            earlier = self._numbers.now.get(change.address, number)
            if self._model.enter(number, change.weight):
                # It comes out of the kernel's trash with its counts (ip_vs_trash_get_dest).
                self._rule.noted.update((earlier, number))
                found.counts = self._counts()
            self._numbers.now[change.address] = number
        yield found

    def _counts(self) -> list[CountChange]:
        servers, was = self._model.servers, self._was
        found = []
        for number in self._rule.noted:
            place = servers.place(number)
            now = int(servers.active[place]), int(servers.inactive[place])
            before = was[number]
            if now != before:
                found.append((number, now[0] - before[0], now[1] - before[1]))
                was[number] = now
        self._rule.noted.clear()
        return found

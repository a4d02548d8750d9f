"""A rule with its servers' counts, to which events can be applied, and taken back again."""

from typing import Any, NamedTuple

import numpy as np

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings, SchedulerRule
from ipvsload.ipvs_model.schedulers.first_least import FirstLeast
from ipvsload.ipvs_model.server_list import ServerList
from ipvsload.replay.counted_events import CountedEvent, ServerNumbers
from ipvsload.replay.decision import ServerState
from ipvsload.replay.table_changes import ServerTable

_MOST_TURNS = 1_000
Own = tuple[tuple[str, Any], ...]
"""What a rule keeps besides the counts: names and values."""


class Undo(NamedTuple):
    """What an event has changed besides counts."""

    own: Own
    server: tuple[int, int, int, int] | None = None
    """Number, weight, last weight, presence before."""
    rule: SchedulerRule | None = None


class RuleState:
    """The rule `scheduler` over the servers of `table`, which are as it begins.

    Servers that join later are in the list from the start, without being present.
    """

    def __init__(self, scheduler: str, table: ServerTable, settings: RuleSettings) -> None:
        self.servers = ServerList()
        for address in ServerNumbers(table).addresses:
            self.servers.join(address, 0)
        for number in range(len(self.servers)):
            self.servers.leave(number)
        self._settings = settings
        self.rule = RULES[scheduler](self.servers, settings)
        # One by one, as they were added: a rule that has turns may remember it.
        for number, (_, weight) in enumerate(table.servers):
            self._set(number, weight, weight, 1)
            self.rule.changed()
        none = np.zeros((1, len(self.servers)), np.int64)
        self.by_counts = self.rule.choices(none, none) is not None and not any(
            change.scheduler for change in table.changes
        )
        """Whether the rule goes by counts and weights alone, all the time."""

    def apply(self, event: CountedEvent) -> Undo:
        """Change what the event changes; what the rule keeps of a decision it knows already."""
        undo = _NOTHING
        if event.change is not None:
            undo = self._change(event)
        servers = self.servers
        active, inactive, last = servers.active, servers.inactive, len(servers.addresses) - 1
        counted = self.rule.counted
        for number, more_active, more_inactive in event.counts:
            active[last - number] += more_active
            inactive[last - number] += more_inactive
            counted(number)
        return undo

    def take_back(self, event: CountedEvent, undo: Undo) -> None:
        """As it was before `apply`."""
        servers = self.servers
        for number, more_active, more_inactive in event.counts:
            place = servers.place(number)
            servers.active[place] -= more_active
            servers.inactive[place] -= more_inactive
            self.rule.counted(number)
        if undo.rule is not None:
            self.rule = undo.rule
        if undo.server is not None:
            self._set(*undo.server)
        if undo is not _NOTHING:
            self.rule.changed()
            self.own = undo.own

    @property
    def own(self) -> Own:
        """What the rule keeps besides the counts."""
        return tuple(
            [
                (name, value.copy() if isinstance(value, dict | set) else value)
                for name, value in vars(self.rule).items()
                if name not in _GIVEN and not isinstance(value, _MADE)
            ]
        )

    @own.setter
    def own(self, own: Own) -> None:
        values = vars(self.rule)
        for name, _ in self.own:
            del values[name]
        for name, value in own:
            values[name] = value.copy() if isinstance(value, dict | set) else value

    def follow(self, number: int) -> None:
        """Have the turns go on behind this server, where the rule has turns that lead there."""
        before = self.own
        if not before:
            return
        for _ in range(_MOST_TURNS):
            if self.rule.choose(_NOBODY) == number:
                return
            if self.own == before:
                break
        self.own = before

    def table(self) -> tuple[ServerState, ...]:
        """The servers that are present, in the order of joining."""
        servers, score = self.servers, self.rule.score
        found = []
        for number, address in enumerate(servers.addresses):
            place = servers.place(number)
            if servers.present[place]:
                found.append(
                    ServerState(
                        address,
                        int(servers.weights[place]),
                        int(servers.active[place]),
                        int(servers.inactive[place]),
                        score(number),
                    )
                )
        return tuple(found)

    def _change(self, event: CountedEvent) -> Undo:
        change, number = event.change, event.chosen
        assert change is not None
        own = self.own
        if change.scheduler:
            before = self.rule
            self.rule = RULES[change.scheduler](
                self.servers, self._settings._replace(flags=frozenset())
            )
            self.rule.changed()
            return Undo(own, None, before)
        if number is None or number < 0:
            return _NOTHING
        place = self.servers.place(number)
        last = int(self.servers.last_weights[place])
        was = number, int(self.servers.weights[place]), last, int(self.servers.present[place])
        weight = change.weight
        self._set(number, weight or 0, weight or last, weight is not None)
        self.rule.changed()
        return Undo(own, was)

    def _set(self, number: int, weight: int, last: int, present: int) -> None:
        servers, place = self.servers, self.servers.place(number)
        servers.weights[place], servers.last_weights[place] = weight, last
        servers.present[place] = present


_GIVEN = {"servers", "settings"}
_MADE = (np.ndarray, memoryview, FirstLeast)
"""Of the counts; a rule keeps them up itself, and makes them again after a change."""
_NOTHING = Undo(())
_NOBODY = Client("0.0.0.0", 0)

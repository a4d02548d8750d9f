"""The real servers of a test; their number is bounded, however many come and go.

A server is an address. It has an `ident` here, which charts refer to, and a
number that people know it by; the number may come later, and changes when the
server joins again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

from ipvsload.scenario.server_conditions import Conditions

MAX_KNOWN = 1200
REMOVED, DRAINED = "removed", "drained"
"""That a server is not in the table any more, and that it is there with weight 0."""
MOST_SPELLS = 12
"""So many are kept of a server, the newest."""
_REMOVED_AT_ONCE = MAX_KNOWN // 10


@dataclass(slots=True)
class Spell:
    """A time (µs) in which a server was in some `state`; `until_us` is None while it lasts."""

    state: str
    since_us: int
    until_us: int | None = None


@dataclass(slots=True)
class KnownServer:
    """One server; `weight` is None while it is not in the kernel's table.

    `active` and `inactive` are summed over the `nodes` that have it now;
    `connections` counts those since the test began. `since_us` is when it came
    into the table, `seen_us` when it was last there, or was first heard of.
    `conditions` are what it suffers from: "killed", "frozen"; `spells` are those times, and
    those in which it was REMOVED or DRAINED.
    """

    ident: int
    number: int
    address: str
    weight: int | None = None
    active: int = 0
    inactive: int = 0
    connections: int = 0
    nodes: int = 0
    since_us: int = 0
    seen_us: int = 0
    conditions: Conditions = ()
    spells: list[Spell] = field(default_factory=list)


class ServerRegistry:
    """Servers by address. `on_change` is called when what a viewer knows of them has changed.

    There are at most MAX_KNOWN. To make room, those that left the table longest
    ago are removed, and `on_removed` is called with their idents; where there
    are none, a new server is not added.
    """

    def __init__(
        self, on_change: Callable[[], None], on_removed: Callable[[set[int]], None]
    ) -> None:
        self.servers: dict[str, KnownServer] = {}
        self.now_us = 0
        """The time of the last sample, in µs; a server that is in it is not removed."""
        self._on_change = on_change
        self._on_removed = on_removed
        self._idents = 0
        self._numbers = 0

    def joined(self, number: int, address: str) -> None:
        """Give a server the number that people know it by; it is never used again."""
        holder = next((m for m in self.servers.values() if m.number == number), None)
        server = self.known(address)
        if server is None or server.number == number:
            return
        if holder is not None:  # its number was only a guess
            holder.number = self._numbers = max(self._numbers, number) + 1
        server.number = number
        self._numbers = max(self._numbers, number)
        self._on_change()

    def suffers(self, address: str, conditions: Conditions, t_us: int) -> None:
        """Take note of what this server suffers from since this time."""
        server = self.known(address)
        if server is not None and server.conditions != conditions:
            server.conditions = conditions
            self._change_spells(server, t_us)

    def known(self, address: str) -> KnownServer | None:
        """Return a server, which is added if it is not known; None if there is no room for it."""
        return self.servers.get(address) or self.add(address)

    def add(self, address: str) -> KnownServer | None:
        """Add a server that is not known; return None if there is no room for it."""
        if len(self.servers) >= MAX_KNOWN and not self._make_room():
            return None
        self._idents += 1
        self._numbers += 1
        server = KnownServer(self._idents, self._numbers, address, seen_us=self.now_us)
        self.servers[address] = server
        self._on_change()
        return server

    def set_weight(self, server: KnownServer, weight: int) -> None:
        """Set the weight that a server has in the table."""
        if server.weight != weight:
            server.weight = weight
            self._change_spells(server, self.now_us)

    def left(self, server: KnownServer, removed: bool) -> None:
        """A server is not in the table any more: it was removed, or its whole service was."""
        if server.weight is not None:
            server.weight = None
            self._change_spells(server, self.now_us, [REMOVED] * removed)

    def _change_spells(self, server: KnownServer, t_us: int, more: Sequence[str] = ()) -> None:
        """End those that are over, begin those that are new."""
        states = [*server.conditions, *[DRAINED] * (server.weight == 0), *more]
        lasting = [spell for spell in server.spells if spell.until_us is None]
        for spell in lasting:
            if spell.state not in states:
                spell.until_us = t_us
        known = [spell.state for spell in lasting]
        server.spells += [Spell(state, t_us) for state in states if state not in known]
        del server.spells[:-MOST_SPELLS]
        self._on_change()

    def _make_room(self) -> bool:
        absent = (s for s in self.servers.values() if not s.nodes and s.seen_us < self.now_us)
        gone = nsmallest(_REMOVED_AT_ONCE, absent, key=lambda server: server.seen_us)
        for server in gone:
            del self.servers[server.address]
        if gone:
            self._on_removed({server.ident for server in gone})
            self._on_change()
        return bool(gone)

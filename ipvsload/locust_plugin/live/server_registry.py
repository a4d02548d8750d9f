"""The real servers of a test: who they are, bounded however many come and go.

A server is an address. It has an `ident` of its own here, which charts refer
to, and a number that people know it by; the number can come later, or anew when
it joins again.
"""

from collections.abc import Callable
from dataclasses import dataclass

MOST = 1200
_FORGOTTEN_AT_ONCE = MOST // 10


@dataclass(slots=True)
class Member:
    """One server; `weight` is None while it is not in the kernel's table.

    `active` and `inactive` are summed over the `nodes` that have it now;
    `connections` counts those since the test began. `since_us` is when it came
    into the table, `seen_us` when it was last there, or was first heard of.
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


class ServerRegistry:
    """Servers by address. `touch` is called when what a viewer knows of them has changed.

    There are at most MOST: then those that left the table longest ago are
    forgotten, and `forget` is told their idents; without any such, a new one is
    not admitted.
    """

    def __init__(self, touch: Callable[[], None], forget: Callable[[set[int]], None]) -> None:
        self.members: dict[str, Member] = {}
        self.now_us = 0
        """The time of the last sample; whoever is seen then is not forgotten."""
        self._touch = touch
        self._forget = forget
        self._idents = 0
        self._numbers = 0

    def joined(self, number: int, address: str) -> None:
        """People know this server by this number, which is never used again."""
        holder = next((m for m in self.members.values() if m.number == number), None)
        member = self.members.get(address) or self.admit(address)
        if member is None or member.number == number:
            return
        if holder is not None:  # it had been given for want of a better one
            holder.number = self._numbers = max(self._numbers, number) + 1
        member.number = number
        self._numbers = max(self._numbers, number)
        self._touch()

    def admit(self, address: str) -> Member | None:
        """A server that was not known; None if there is no room for one more."""
        if len(self.members) >= MOST and not self._make_room():
            return None
        self._idents += 1
        self._numbers += 1
        member = Member(self._idents, self._numbers, address, seen_us=self.now_us)
        self.members[address] = member
        self._touch()
        return member

    def weighs(self, member: Member, weight: int | None) -> None:
        """In the table with this weight; None: not in it."""
        if member.weight != weight:
            member.weight = weight
            self._touch()

    def _make_room(self) -> bool:
        absent = [
            member
            for member in self.members.values()
            if not member.nodes and member.seen_us < self.now_us
        ]
        absent.sort(key=lambda member: member.seen_us)
        gone = absent[:_FORGOTTEN_AT_ONCE]
        for member in gone:
            del self.members[member.address]
        if gone:
            self._forget({member.ident for member in gone})
            self._touch()
        return bool(gone)

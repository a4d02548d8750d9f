"""Connections as they begin, from whatever tells of each by itself.

This costs by the rate of new connections, and not by how many the kernel remembers.
"""

from typing import Protocol

from ipvsload.ipvs.connection_lines import ConnectionLine
from ipvsload.ipvs.decode import TableRows


class Beginnings(Protocol):
    """Raises OSError when it is made where it cannot listen."""

    name: str
    """Where connections are seen, for `source` in the sidecar's lines."""

    @property
    def why(self) -> str:
        """What may be missing; "" where nothing can be."""

    def take(self, until: float) -> tuple[list[ConnectionLine], bool]:
        """Those since the last call, and whether these were all; no longer than until that time.

        A connection may be among them more than once. The time is that of the monotonic clock.
        """

    def see(self, table: TableRows) -> None:
        """The table as it is now."""

    def close(self) -> None:
        """Listen no more."""


class Together:
    """Several Beginnings as one: what either of them tells."""

    def __init__(self, *ways: Beginnings) -> None:
        self._ways = ways
        self.name = " and ".join(way.name for way in ways)

    @property
    def why(self) -> str:
        """See Beginnings."""
        return " and ".join(filter(None, (way.why for way in self._ways)))

    def take(self, until: float) -> tuple[list[ConnectionLine], bool]:
        """See Beginnings."""
        found, ended = list[ConnectionLine](), True
        for way in self._ways:
            some, all_of_them = way.take(until)
            found += some
            ended = ended and all_of_them
        return found, ended

    def see(self, table: TableRows) -> None:
        """See Beginnings."""
        for way in self._ways:
            way.see(table)

    def close(self) -> None:
        """See Beginnings."""
        for way in self._ways:
            way.close()

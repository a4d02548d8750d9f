"""What packets at the director's cables say of its decisions: the witness of a run.

A director on one processor decides in the order in which its packets leave it. The
generator's own times are too coarse to tell the order of what happens together.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple


class PacketKind(IntEnum):
    """What a packet says of its connection."""

    ASKED = 0
    """The client's SYN, on its way into the director."""
    CHOSEN = 1
    """The same SYN, on its way out to the real server: a decision."""
    CLIENT_FIN = 2
    """On its way out of the director, as the others below."""
    SERVER_FIN = 3
    CLIENT_RST = 4
    SERVER_RST = 5


class Packet(NamedTuple):
    """One packet of a run's connections, at `t_ns` on the recording's clock.

    One that was sent again is there again.

    `server` is the real server's address:port; "" for ASKED.
    """

    t_ns: int
    kind: PacketKind
    client: str
    port: int
    server: str


class Witness(NamedTuple):
    """Packets in the order of time; `dropped` says how many were seen and not kept.

    Packets of one instant stand in the order in which they were seen. What a run
    directory gives is a `PacketTable`: its `len` is known, and its `rows` are an array.
    """

    packets: Iterable[Packet]
    dropped: int = 0

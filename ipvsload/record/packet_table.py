"""Many packets as a few columns: how a witness is kept in memory and in its file.

A run may have two million packets. As tuples they are half a gigabyte; here each is
fifteen bytes, and what asks for one gets a `Packet`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.witness import Packet, PacketKind
from ipvsload.statistics.percentiles import percentile

COLUMNS = np.dtype(
    [("t_ns", "<i8"), ("kind", "u1"), ("client", "<u2"), ("port", "<u2"), ("server", "<u2")]
)
"""`client` and `server` are places in tables of addresses; `port` is the client's."""
_AT_ONCE = 1 << 14


class PacketTable:
    """Packets in the order of time; iterating makes a `Packet` of each, again each time.

    `rows` are of COLUMNS; the addresses are what their numbers stand for.
    Raises ValueError where `rows` say something that is not there.
    """

    def __init__(self, rows: NDArray[Any], clients: Sequence[str], servers: Sequence[str]) -> None:
        if rows.dtype != COLUMNS or rows.ndim != 1:
            raise ValueError("not a table of packets")
        for column, size in (("kind", len(_KINDS)), ("client", len(clients)),
                             ("server", len(servers))):  # fmt: skip
            if len(rows) and int(rows[column].max()) >= size:
                raise ValueError(f"a packet's {column} is not known")
        self.rows = rows
        self.clients = tuple(clients)
        self.servers = tuple(servers)

    @classmethod
    def of(cls, packets: Iterable[Packet]) -> Self:
        """A table of these packets, which are in the order of time."""
        clients: dict[str, int] = {}
        servers: dict[str, int] = {}
        rows = np.array(
            [
                (
                    one.t_ns,
                    one.kind,
                    clients.setdefault(one.client, len(clients)),
                    one.port,
                    servers.setdefault(one.server, len(servers)),
                )
                for one in packets
            ],
            COLUMNS,
        )
        return cls(rows, tuple(clients), tuple(servers))

    def moved(self, ns: int) -> Self:
        """The same packets, so much later."""
        rows = self.rows.copy()
        rows["t_ns"] += ns
        return type(self)(rows, self.clients, self.servers)

    def director_us(self) -> dict[str, float]:
        """How long the director had a connection's SYN, from ASKED to CHOSEN: p50 and p99.

        {} where there is none.
        """
        syn = self.rows[self.rows["kind"] <= PacketKind.CHOSEN]
        connection = syn["client"].astype(np.int64) << 16 | syn["port"]
        syn = syn[np.argsort(connection, kind="stable")]
        asked, chosen = syn[:-1], syn[1:]
        pairs = (
            (asked["kind"] == PacketKind.ASKED)
            & (chosen["kind"] == PacketKind.CHOSEN)
            & (asked["client"] == chosen["client"])
            & (asked["port"] == chosen["port"])
        )
        times = np.sort(chosen["t_ns"][pairs] - asked["t_ns"][pairs]).tolist()
        return {f"p{p}": percentile(times, p) / 1000 for p in (50, 99) if times}

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Packet]:
        clients, servers = self.clients, self.servers
        for begin in range(0, len(self.rows), _AT_ONCE):
            for t_ns, kind, client, port, server in self.rows[begin : begin + _AT_ONCE].tolist():
                yield Packet(t_ns, _KINDS[kind], clients[client], port, servers[server])


_KINDS = tuple(PacketKind)

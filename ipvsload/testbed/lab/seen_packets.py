"""What was seen at both cables, joined: each packet with its client and its real server."""

from collections.abc import Callable, Mapping
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.record.packet_table import COLUMNS, PacketTable
from ipvsload.record.witness import PacketKind
from ipvsload.testbed.lab.packet_filter import OUTGOING, RST, SYN


class SeenService(NamedTuple):
    """The virtual service whose packets they are."""

    port: int
    forwarding: str
    endpoint: str
    """How an address and a port are written."""
    hosts: Mapping[bytes, str]
    """The real servers by their link addresses, where packets are sent to these."""


class SeenPackets:
    """The packets of a run, in fifteen bytes each while they come, and joined when it is over."""

    def __init__(self, service: SeenService) -> None:
        self._service = service
        self._way = FORWARDINGS[service.forwarding]
        self._address_size = 0
        self._clients: dict[bytes, int] = {}
        self._servers: dict[tuple[bytes, int], int] = {}
        """By address, or link address, and port; 0 is none."""
        self._at_clients: list[NDArray[Any]] = []
        self._at_servers: list[NDArray[Any]] = []

    def at_clients(self, frames: NDArray[Any]) -> None:
        """Take what was seen at the clients' cable: an array of `FrameColumns`."""
        asked = frames["type"] != OUTGOING
        ends = _ends(frames["flags"], PacketKind.SERVER_RST, PacketKind.SERVER_FIN)
        rows = self._rows(
            frames,
            np.where(asked, frames["source"], frames["destination"]),
            np.where(asked, frames["from_port"], frames["to_port"]),
        )
        rows["kind"] = np.where(asked, PacketKind.ASKED, ends)
        rows["server"] = 0
        self._at_clients.append(rows)

    def at_servers(self, frames: NDArray[Any]) -> None:
        """Take what was seen at the servers' cable."""
        chosen = frames["flags"] & SYN
        ends = _ends(frames["flags"], PacketKind.CLIENT_RST, PacketKind.CLIENT_FIN)
        rows = self._rows(frames, frames["source"], frames["from_port"])
        rows["kind"] = np.where(chosen, PacketKind.CHOSEN, ends)
        rows["server"] = self._server_numbers(frames)
        self._at_servers.append(rows)

    def table(self, to_monotonic: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> PacketTable:
        """The packets of the connections that were asked for, by time.

        `to_monotonic` turns CLOCK_REALTIME into the generator's clock. A packet from the
        service is its server's to which the connection was sent last; "" where that was not seen.
        """
        rows = np.concatenate([np.empty(0, COLUMNS), *self._at_clients, *self._at_servers])
        self._at_clients, self._at_servers = [], []
        rows["t_ns"] = to_monotonic(rows["t_ns"])
        connection = _connections(rows)
        known = np.zeros(max(1, len(self._clients)) << 16, bool)
        known[connection[rows["kind"] == PacketKind.ASKED]] = True
        rows = rows[known[connection]]
        rows = rows[np.argsort(rows["t_ns"], kind="stable")]
        _name_servers(rows, _connections(rows))
        clients = [_text(raw, self._address_size) for raw in self._clients]
        return PacketTable(rows, clients, ["", *map(self._server, self._servers)])

    def _rows(
        self, frames: NDArray[Any], addresses: NDArray[Any], ports: NDArray[Any]
    ) -> NDArray[Any]:
        self._address_size = addresses.dtype.itemsize
        rows = np.empty(len(frames), COLUMNS)
        raw, place = np.unique(addresses, return_inverse=True)
        numbers = [self._clients.setdefault(one, len(self._clients)) for one in raw.tolist()]
        rows["t_ns"], rows["port"] = frames["t"], ports
        rows["client"] = np.array(numbers, np.uint16)[place]
        return rows

    def _server_numbers(self, frames: NDArray[Any]) -> NDArray[Any]:
        way = self._way
        column = "outer" if way.tunnel else "mac" if way.direct else "destination"
        raw, place = np.unique(frames[column], return_inverse=True)
        to_port = np.full(len(place), self._service.port) if way.direct else frames["to_port"]
        ends, number = np.unique(place.astype(np.int64) << 16 | to_port, return_inverse=True)
        numbers = [
            self._servers.setdefault((bytes(raw[one >> 16]), one & 0xFFFF), len(self._servers) + 1)
            for one in ends.tolist()
        ]
        return np.array(numbers, np.uint16)[number]

    def _server(self, seen: tuple[bytes, int]) -> str:
        """The name of a real server; "" for a link address that is none's."""
        raw, port = seen
        if self._way.direct and not self._way.tunnel:
            host = self._service.hosts.get(raw.ljust(6, b"\0"), "")
        else:
            host = _text(raw, self._address_size)
        return self._service.endpoint.format(host, port) if host else ""


def _connections(rows: NDArray[Any]) -> NDArray[Any]:
    connections: NDArray[Any] = rows["client"].astype(np.uint32) << 16 | rows["port"]
    return connections


def _ends(flags: NDArray[Any], reset: PacketKind, fin: PacketKind) -> NDArray[Any]:
    return np.where(flags & RST, reset, fin)


def _name_servers(rows: NDArray[Any], connection: NDArray[Any]) -> None:
    """Give packets from the service the server that their connection was sent to last."""
    order = np.argsort(connection, kind="stable")
    chosen = rows["kind"][order] == PacketKind.CHOSEN
    last = np.maximum.accumulate(np.where(chosen, np.arange(len(order)), -1))
    its_own = connection[order][last] == connection[order]
    unnamed = np.isin(rows["kind"][order], (PacketKind.SERVER_FIN, PacketKind.SERVER_RST))
    to = unnamed & its_own & (last >= 0)
    rows["server"][order[to]] = rows["server"][order[last[to]]]


def _text(raw: bytes, size: int) -> str:
    return inet_ntop(AF_INET if size == 4 else AF_INET6, raw.ljust(size, b"\0"))

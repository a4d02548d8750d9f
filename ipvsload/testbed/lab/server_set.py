"""All real servers of one process, by address:port."""

import asyncio
import socket
from contextlib import ExitStack
from functools import partial

from ipvsload.ipvs.keys import parse_endpoint, split_endpoint
from ipvsload.testbed.lab.exact_timers import ExactTimers
from ipvsload.testbed.lab.listening_server import ListeningServer
from ipvsload.testbed.lab.occupancy_teller import OccupancyTeller
from ipvsload.testbed.lab.server_connection import ServerConnection
from ipvsload.testbed.lab.worker_pool import Limits

_TRANSPARENT: dict[int, tuple[int, int]] = {
    socket.AF_INET: (socket.IPPROTO_IP, 19),  # IP_TRANSPARENT, include/uapi/linux/in.h
    socket.AF_INET6: (socket.IPPROTO_IPV6, 75),  # IPV6_TRANSPARENT, include/uapi/linux/in6.h
}
_BACKLOG = 65_535
"""The kernel takes net.core.somaxconn instead where that is less (net/socket.c, __sys_listen)."""


class ServerSet:
    """The servers that listen, in the running event loop.

    They tell how busy they are to the socket `tell_to`, and its `teller` how often.
    """

    def __init__(self, tell_to: int = -1) -> None:
        self._timers = ExactTimers()
        self.teller = OccupancyTeller(self._occupancy, self._timers, tell_to)
        self._servers: dict[str, tuple[asyncio.Server, ListeningServer]] = {}
        self._limits: dict[str, tuple[Limits | None, float]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._servers

    def __getitem__(self, name: str) -> ListeningServer:
        """The server at address:port. Raises ValueError where none listens."""
        if name not in self._servers:
            raise ValueError(f"there is no server {name}")
        return self._servers[name][1]

    async def add(self, name: str, *, transparent: bool = False) -> None:
        """Listen on address:port (`[address]:port` with IPv6), with the limits set for it before.

        With `transparent` the kernel may hand it connections to other addresses
        (nftables' tproxy, see direct_routing.py).

        Raises:
            ValueError: `name` is not an address and a port, or is listened on already.
            OSError: the address cannot be bound.
        """
        if name in self._servers:
            raise ValueError(f"{name} is there already")
        try:
            family, _, port = parse_endpoint(str(name))  # an address, not a host's name
        except ValueError:
            port = 0
        if not port:
            raise ValueError(f"not an address:port: {name!r}")
        server = ListeningServer(name, self._timers)
        server.limit(*self._limits.get(name, (None, 1.0)))
        with ExitStack() as undo:
            sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if transparent:
                sock.setsockopt(*_TRANSPARENT[family], 1)
            sock.bind(split_endpoint(name))
            listener = await asyncio.get_running_loop().create_server(
                partial(ServerConnection, server), sock=sock, backlog=_BACKLOG
            )
            undo.pop_all()
        server.listeners = listener.sockets
        self._servers[name] = listener, server

    async def kill(self, name: str) -> None:
        """Close the listener, forget the work and reset the connections of a server.

        Raises:
            ValueError: there is no such server.
        """
        server = self[name]
        listener, _ = self._servers.pop(name)
        listener.close()
        server.reset_all()
        await listener.wait_closed()

    def limit(self, name: str, limits: Limits | None, speed: float) -> None:
        """Give a server a capacity, with nothing in it; None: it serves any number at once.

        Raises:
            ValueError: there is no such server.
        """
        self[name].limit(limits, speed)
        self._limits[name] = limits, speed

    def _occupancy(self, now: int) -> list[list[str | int]]:
        return [
            [server.name, pool.busy, pool.queued, pool.requests, pool.overflowed,
             pool.busy_ns(now) // 1000]
            for _, server in self._servers.values()
            if (pool := server.pool) is not None
        ]  # fmt: skip

"""All real servers of one process, by address:port."""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial

from ipvsload.ipvs.keys import parse_endpoint, split_endpoint
from ipvsload.testbed.lab.answer_gate import AnswerGate
from ipvsload.testbed.lab.exact_timers import ExactTimers
from ipvsload.testbed.lab.known_answers import KnownAnswers
from ipvsload.testbed.lab.listening_server import ListeningServer, ServerProcess
from ipvsload.testbed.lab.occupancy_teller import OccupancyTeller
from ipvsload.testbed.lab.open_connection import OpenConnection
from ipvsload.testbed.lab.overflow_processes import OverflowProcesses
from ipvsload.testbed.lab.server_listener import ServerListener
from ipvsload.testbed.lab.server_loop import ServerLoop
from ipvsload.testbed.lab.worker_pool import Limits

_TRANSPARENT: dict[int, tuple[int, int]] = {
    socket.AF_INET: (socket.IPPROTO_IP, 19),  # IP_TRANSPARENT, include/uapi/linux/in.h
    socket.AF_INET6: (socket.IPPROTO_IPV6, 75),  # IPV6_TRANSPARENT, include/uapi/linux/in6.h
}


class ServerSet:
    """The servers that listen, in this event loop.

    They tell how busy they are to the socket `tell_to`, and its `teller` how often. With more
    connections than `open_files` they have other processes, in which `obey` does a command.
    """

    def __init__(
        self,
        loop: ServerLoop,
        open_files: int,
        obey: Callable[["ServerSet", bytes], object],
        tell_to: int = -1,
    ) -> None:
        timers = ExactTimers(loop)
        self.overflow = OverflowProcesses(loop, timers, self, partial(obey, self), open_files)
        self._process = ServerProcess(
            loop, timers, AnswerGate(timers), KnownAnswers(), self.overflow
        )
        self.teller = OccupancyTeller(self._occupancy, timers, tell_to)
        self._servers: dict[str, tuple[ServerListener, ListeningServer]] = {}
        self._limits: dict[str, tuple[Limits | None, float]] = {}
        self._listening = True

    def __contains__(self, name: str) -> bool:
        return name in self._servers

    def __getitem__(self, name: str) -> ListeningServer:
        """The server at address:port. Raises ValueError where none listens."""
        if name not in self._servers:
            raise ValueError(f"there is no server {name}")
        return self._servers[name][1]

    def add(self, name: str, *, transparent: bool = False) -> None:
        """Listen on address:port (`[address]:port` with IPv6), with the limits set for it before.

        With `transparent` the kernel may hand it connections to other addresses
        (nftables' tproxy, see direct_routing.py).

        Raises:
            ValueError: `name` is not an address and a port, or is listened on already.
            OSError: the address cannot be bound.
        """
        if not self._listening:
            return
        if name in self._servers:
            raise ValueError(f"{name} is there already")
        try:
            family, _, port = parse_endpoint(str(name))  # an address, not a host's name
        except ValueError:
            port = 0
        if not port:
            raise ValueError(f"not an address:port: {name!r}")
        with ExitStack() as undo:
            sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if transparent:
                sock.setsockopt(*_TRANSPARENT[family], 1)
            sock.bind(split_endpoint(name))
            server = ListeningServer(name, family, sock, self._process)
            server.limit(*self._limits.get(name, (None, 1.0)))
            listener = ServerListener(sock, server)
            undo.pop_all()
        self._servers[name] = listener, server

    def kill(self, name: str) -> None:
        """Close the listener, forget the work and reset the connections of a server.

        Raises:
            ValueError: there is no such server.
        """
        server = self[name]
        listener, _ = self._servers.pop(name)
        listener.close()
        server.reset_all()

    def limit(self, name: str, limits: Limits | None, speed: float) -> None:
        """Give a server a capacity, with nothing in it; None: it serves any number at once.

        Raises:
            ValueError: there is no such server.
        """
        self[name].limit(limits, speed)
        self._limits[name] = limits, speed

    # For processes that take connections over

    def waiting(self) -> list[OpenConnection]:
        """The connections that wait for their time, and for nothing else."""
        return [one for one in self._connections() if one.waits is not None]

    def keep_only(self, connections: Iterable[OpenConnection]) -> None:
        """In a new process: have these connections, and no listeners."""
        self._listening = False
        self.teller.close()
        loop, timers, gate, *_ = self._process
        gate.renew()
        kept = set(connections)
        timers.renew(loop, (call for one in kept if (call := one.waits) is not None))
        for listener, server in self._servers.values():
            listener.close()
            for connection in list(server.connections):
                if connection in kept:
                    connection.take_over()
                else:
                    connection.let_go()

    def have_ended(self) -> bool:
        """Whether there is no connection any more."""
        return not any(self._connections())

    def _connections(self) -> Iterator[OpenConnection]:
        for _, server in self._servers.values():
            yield from server.connections

    def _occupancy(self, now: int) -> list[list[str | int]]:
        return [
            [server.name, pool.busy, pool.queued, pool.requests, pool.overflowed,
             pool.busy_ns(now) // 1000]
            for _, server in self._servers.values()
            if (pool := server.pool) is not None
        ]  # fmt: skip

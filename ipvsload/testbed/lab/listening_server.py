"""One of the lab's real servers: its name, its connections and, with a capacity, its workers."""

from typing import Protocol

from ipvsload.testbed.lab.exact_timers import ExactTimers
from ipvsload.testbed.lab.worker_pool import Limits, WorkerPool


class OpenConnection(Protocol):
    """What a server does with a connection of its own."""

    def reset(self) -> None:
        """End it as a process that died does."""


class ListeningServer:
    """The server `name`, address:port. Without `pool` it serves any number at once."""

    def __init__(self, name: str, timers: ExactTimers) -> None:
        self.name = name
        self.timers = timers
        self.connections: set[OpenConnection] = set()
        self.pool: WorkerPool | None = None
        self.dead = False
        """What was accepted a moment before it died is reset, too."""

    def limit(self, limits: Limits | None, speed: float) -> None:
        """Give it a new and empty pool, or none. What the old one has begun or queued is done."""
        self.pool = None if limits is None else WorkerPool(self.timers, limits, speed)

    def reset_all(self) -> None:
        """End every connection, and forget their work."""
        self.dead = True
        if self.pool is not None:
            self.pool.close()
        for connection in list(self.connections):
            connection.reset()

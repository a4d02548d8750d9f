"""One of the lab's real servers: its name, its connections and, with a capacity, its workers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ipvsload.testbed.lab import packet_loss
from ipvsload.testbed.lab.answer_gate import AnswerGate
from ipvsload.testbed.lab.exact_timers import ExactTimers
from ipvsload.testbed.lab.known_answers import KnownAnswers
from ipvsload.testbed.lab.overflow_processes import OverflowProcesses
from ipvsload.testbed.lab.server_loop import ServerLoop
from ipvsload.testbed.lab.worker_pool import Limits, WorkerPool

if TYPE_CHECKING:
    from ipvsload.testbed.lab.open_connection import OpenConnection


class ServerProcess(NamedTuple):
    """What all servers of a process share."""

    loop: ServerLoop
    timers: ExactTimers
    gate: AnswerGate
    known: KnownAnswers
    overflow: OverflowProcesses


class ListeningServer:
    """The server `name`, address:port. Without `pool` it serves any number at once.

    `family` is that of its address, `listener` what it listens on.
    """

    def __init__(
        self, name: str, family: int, listener: packet_loss.AnySocket, process: ServerProcess
    ) -> None:
        self.name = name
        self.family = family
        self.loop, self.timers, self.gate, self.known, self.overflow = process
        self.connections: set[OpenConnection] = set()
        self.pool: WorkerPool | None = None
        self._listener = listener
        self.frozen = self.vanished = False
        self.factor = 1.0
        """How much faster it is than usual."""

    def limit(self, limits: Limits | None, speed: float) -> None:
        """Give it a new and empty pool, or none. What the old one has begun or queued is done."""
        self._speed = speed
        self.pool = None
        if limits is not None:
            self.pool = WorkerPool(self.timers, limits, speed * self.factor)

    @property
    def silent(self) -> bool:
        """Whether nothing that it writes comes anywhere now."""
        return self.frozen or self.vanished

    def freeze(self) -> None:
        """Stand still, as a process after SIGSTOP: its kernel takes connections and data."""
        self.frozen = True
        if self.pool is not None:
            self.pool.pause()
        self._go_on()

    def thaw(self) -> None:
        """Go on where it stood."""
        self.frozen = False
        if self.pool is not None:
            self.pool.resume()
        self._go_on()

    def vanish(self) -> None:
        """Lose every packet, in and out; the process goes on."""
        if not self.vanished:
            self.vanished = True
            for sock in self._sockets():
                packet_loss.lose(sock)

    def come_back(self) -> None:
        """Lose no more packets; what was to be sent is sent now."""
        if self.vanished:
            self.vanished = False
            for sock in self._sockets():
                packet_loss.keep(sock)
            self._go_on()

    def set_speed(self, factor: float) -> None:
        """Work so many times as fast as usual. Raises ValueError unless that is above 0.

        Without a capacity that is so for the requests that come from now on.
        """
        if not factor > 0:
            raise ValueError(f"not a speed: {factor}")
        self.factor = factor
        if self.pool is not None:
            self.pool.set_speed(self._speed * factor)

    def _sockets(self) -> Iterator[packet_loss.AnySocket]:
        yield self._listener
        yield from (connection.socket for connection in self.connections)

    def _go_on(self) -> None:
        for connection in list(self.connections):
            connection.go_on()

    def reset_all(self) -> None:
        """End every connection, and forget their work."""
        if self.pool is not None:
            self.pool.close()
        for connection in list(self.connections):
            connection.reset()

"""A real server of the model: its workers and its queue, and what it suffers from.

It is what a server of the lab's process is (testbed/lab/listening_server.py), and has the
same pool of workers. What comes to it are connections, each with one request at a time.
"""

from functools import partial
from typing import Protocol

from ipvsload.simulate.model_pages import PageAnswer
from ipvsload.simulate.virtual_time import VirtualTime
from ipvsload.testbed.lab.worker_pool import Job, Limits, WorkerPool


class ServedConnection(Protocol):
    """What a server does with a connection of its own."""

    def answered(self, now_ns: int, status: int, queue_us: int | None) -> None:
        """Its request is answered."""

    def reset(self, now_ns: int) -> None:
        """The server ends it at once, with RST."""


class ModelServer:
    """The server `address`; `speed` is its usual one. Without limits it serves any number at once.

    `connections` are those that are open.
    """

    def __init__(self, address: str, time: VirtualTime, limits: Limits | None, speed: float):
        self.address = address
        self.connections: dict[ServedConnection, None] = {}
        self.removed = False
        """No longer in the table of the directors."""
        self._time, self._limits, self._speed = time, limits, speed
        self._held: dict[ServedConnection, tuple[int, int | None]] = {}
        """Answers that cannot be sent while it is silent."""
        self._unread: dict[ServedConnection, PageAnswer] = {}
        """Requests that a frozen server has not read."""
        self._begin()

    def _begin(self) -> None:
        self.dead = self.frozen = self.vanished = False
        self._factor = 1.0
        self.pool = None
        if self._limits is not None:
            self.pool = WorkerPool(self._time, self._limits, self._speed)

    def take(self, connection: ServedConnection, asked: PageAnswer) -> None:
        """A request has come, over a connection that is new or was kept."""
        self.connections[connection] = None
        if self.frozen:
            self._unread[connection] = asked
        elif self.pool is not None:
            self._have_done(self.pool, connection, asked)
        elif asked.work:
            due_ns = self._time.now_ns + round(asked.work / self._factor * 1e9)
            self._time.call(due_ns, partial(self._worked, connection, asked.status))
        else:
            self._answer(connection, asked.status, None)

    def fault(self, fault: str) -> None:
        """Kill it, freeze it, and so on; see `scenario/server_conditions.py`."""
        getattr(self, f"_{fault}")()

    def set_speed(self, factor: float) -> None:
        """Work so many times as fast as usual; without limits, what comes from now on."""
        self._factor = factor
        if self.pool is not None:
            self.pool.set_speed(self._speed * factor)

    def _have_done(self, pool: WorkerPool, connection: ServedConnection, asked: PageAnswer) -> None:
        job = Job(asked.work, partial(self._done, connection, asked.status))
        if not pool.take(job):
            if pool.limits.overflow:
                self._answer(connection, pool.limits.overflow, None)
            else:
                self._end(connection)
        elif job.ended:
            self._done(connection, asked.status, job)

    def _done(self, connection: ServedConnection, status: int, job: Job) -> None:
        self._answer(connection, status, (job.began - job.arrived) // 1000)

    def _worked(self, connection: ServedConnection, status: int, _now_ns: int) -> None:
        if connection in self.connections:
            self._answer(connection, status, None)

    def _answer(self, connection: ServedConnection, status: int, queue_us: int | None) -> None:
        if self.frozen or self.vanished:
            self._held[connection] = status, queue_us
        else:
            connection.answered(self._time.now_ns, status, queue_us)

    def _end(self, connection: ServedConnection) -> None:
        self.connections.pop(connection, None)
        connection.reset(self._time.now_ns)

    # Faults

    def _kill(self) -> None:
        if self.pool is not None:
            self.pool.close()
        self._held.clear()
        self._unread.clear()
        for connection in list(self.connections):
            self._end(connection)
        self.dead, self.frozen, self.vanished = True, False, False

    def _restart(self) -> None:
        self._kill()
        self._begin()

    def _freeze(self) -> None:
        self.frozen = True
        if self.pool is not None:
            self.pool.pause()

    def _thaw(self) -> None:
        self.frozen = False
        if self.pool is not None:
            self.pool.resume()
        unread, self._unread = self._unread, {}
        for connection, asked in unread.items():
            self.take(connection, asked)
        self._go_on()

    def _vanish(self) -> None:
        self.vanished = True

    def _return(self) -> None:
        self.vanished = False
        self._go_on()

    def _go_on(self) -> None:
        if not (self.frozen or self.vanished):
            held, self._held = self._held, {}
            for connection, (status, queue_us) in held.items():
                connection.answered(self._time.now_ns, status, queue_us)

"""More connections than a process may have open files: other processes take those that wait.

A request that is held open needs nothing of its server until its time has come. So when the
real servers' process has nearly as many open files as it may, it forks. The new process keeps
the connections that wait, with their timers, answers them, and ends with the last; the old one
closes its own copies, of which clients notice nothing, and goes on accepting. Each command is
told to all of them, because a server that is killed is killed in all.

Servers with a capacity have queues that one process must know, so their connections stay.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import NoReturn, Protocol

from ipvsload.testbed.lab.exact_timers import ExactTimers
from ipvsload.testbed.lab.open_connection import OpenConnection
from ipvsload.testbed.lab.server_loop import ServerLoop

_SPARE_FILES = 128
"""Open files that are left when connections are handed over."""
_LEAST_FILES = 32
"""Those without which none can be handed over."""
_AT_LEAST = 64
"""Fewer connections are not worth a process."""
_AGAIN_AFTER_NS = 100_000_000
_LOOK_EACH_NS = 1_000_000_000
_MAX_COMMAND = 1 << 17


class Servers(Protocol):
    """What has the connections."""

    def waiting(self) -> list[OpenConnection]:
        """Those that wait for their time, and for nothing else."""

    def keep_only(self, connections: Iterable[OpenConnection]) -> None:
        """In a new process: have these connections, and no listeners."""

    def have_ended(self) -> bool:
        """Whether there is no connection any more."""


class OverflowProcesses:
    """Those that took connections over, because one may have `open_files` only.

    In them `obey` does a command.
    """

    def __init__(
        self,
        loop: ServerLoop,
        timers: ExactTimers,
        servers: Servers,
        obey: Callable[[bytes], object],
        open_files: int,
    ) -> None:
        self._loop = loop
        self._timers = timers
        self._servers = servers
        self._obey = obey
        self.full_at, self.most = open_files - _SPARE_FILES, open_files - _LEAST_FILES
        """The descriptors from which on room is to be made, and no more can be taken."""
        self._not_before_ns = 0
        self._processes: list[socket.socket] = []
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them

    def make_room(self) -> None:
        """Have a new process take over what waits, if that is much."""
        now = time.monotonic_ns()
        if now < self._not_before_ns:
            return
        waiting = self._servers.waiting()
        if len(waiting) < _AT_LEAST:
            self._not_before_ns = now + _AGAIN_AFTER_NS
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            ours.close()
            self._serve(theirs, waiting)
        theirs.close()
        for connection in waiting:
            connection.let_go()
        self._processes.append(ours)
        self._loop.watch(ours.fileno(), lambda: self._ended(ours))

    def tell(self, command: bytes) -> None:
        """Have each of them do what this process does."""
        for process in list(self._processes):
            try:
                process.send(command)
            except OSError:
                self._ended(process)

    def _ended(self, process: socket.socket) -> None:
        if process in self._processes:
            self._processes.remove(process)
            self._loop.forget(process.fileno())
            process.close()

    def _serve(self, owner: socket.socket, taken: list[OpenConnection]) -> NoReturn:
        """Be such a process, until the last of its connections has ended."""
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 0)
            os.dup2(nothing, 1)
            for process in self._processes:
                process.close()
            self._processes.clear()
            self._loop.renew()
            self._servers.keep_only(taken)

            def obey() -> None:
                command = owner.recv(_MAX_COMMAND)
                if not command:
                    os._exit(0)
                self._obey(command)

            self._loop.watch(owner.fileno(), obey)
            self._end_with_the_last(0)
            self._loop.run()
        finally:
            os._exit(1)

    def _end_with_the_last(self, _due: int) -> None:
        if self._servers.have_ended():
            os._exit(0)
        self._timers.at(time.monotonic_ns() + _LOOK_EACH_NS, self._end_with_the_last)

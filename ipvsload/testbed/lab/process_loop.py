"""The supervisor's event loop: descriptors to read, children that end, timers.

It uses the standard library only and little of that, so that a lab is up soon.
"""

import contextlib
import os
import sched
import selectors
import signal
import subprocess
from collections.abc import Callable
from typing import NoReturn


class ProcessLoop:
    """Calls functions when a descriptor can be read, a child has ended, or time is up."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, tuple[subprocess.Popen[bytes], Callable[[int], None]]] = {}
        self._timers = sched.scheduler()
        self._signals, wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.watch(self._signals, self._reap)

    def run(self) -> NoReturn:
        """Wait and call, for ever."""
        while True:
            for key, _ in self._selector.select(self._timers.run(blocking=False)):
                key.data()

    def watch(self, descriptor: int, call: Callable[[], None]) -> None:
        """Call when the descriptor can be read."""
        self._selector.register(descriptor, selectors.EVENT_READ, call)

    def forget(self, descriptor: int) -> None:
        """Undo `watch`; before the descriptor is closed."""
        self._selector.unregister(descriptor)

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call once in so many seconds."""
        self._timers.enter(seconds, 0, call)

    def on_exit(self, process: subprocess.Popen[bytes], call: Callable[[int], None]) -> None:
        """Call with its status when the child has ended: -N for a death by signal N."""
        # Kept, because a Popen that is dropped waits for its child by itself.
        self._children[process.pid] = (process, call)

    def _reap(self) -> None:
        os.read(self._signals, 4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                # Orphans of other processes are reaped here too.
                if pid in self._children:
                    process, call = self._children.pop(pid)
                    process.returncode = os.waitstatus_to_exitcode(status)
                    call(process.returncode)

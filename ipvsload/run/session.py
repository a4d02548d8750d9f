"""All runs of one command: schedulers in turn, repeated, into one directory.

Repeats are interleaved (rr, lc, rr, lc, ...), so that a machine that is slow
for a while is slow for all schedulers alike.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from signal import SIGINT, SIGTERM, getsignal, signal
from typing import Any

import gevent
from gevent.queue import SimpleQueue
from gevent.socket import wait_read

from ipvsload.errors import InvalidRunError, IpvsloadError
from ipvsload.load.sources import Sources
from ipvsload.record.format import Event
from ipvsload.record.writer import RunWriter
from ipvsload.run.clock import Clock
from ipvsload.run.engine import Run
from ipvsload.run.progress import Progress
from ipvsload.run.sidecar import Sidecar
from ipvsload.run.stage import Stage
from ipvsload.scenario.model import Scenario
from ipvsload.testbed.base import Testbed


class StoppedError(InvalidRunError):
    """Somebody pressed Ctrl-C or sent SIGTERM."""

    def __init__(self) -> None:
        super().__init__("interrupted")


class Session:
    """Plays `scenario` on a testbed that has been started, and records it."""

    def __init__(
        self, scenario: Scenario, testbed: Testbed, writer: RunWriter, clock: Clock, hz: float
    ) -> None:
        self._scenario = scenario
        self._testbed = testbed
        self._writer = writer
        self._clock = clock
        self._hz = hz
        self._number = 0

    def play(self, schedulers: Sequence[str], repeats: int, progress: Progress) -> None:
        """Every run, or up to the first that breaks.

        Raises TestbedError and InvalidRunError; what was recorded stays, with
        the reason, and the record is closed in any case.
        """
        try:
            with ExitStack() as stack:
                stage = self._set(stack, progress)
                for repeat in range(1, repeats + 1):
                    for scheduler in schedulers:
                        self._number += 1
                        progress.begin(scheduler, repeat, repeats)
                        Run(stage, self._number).play(scheduler, repeat)
                        _raise_what_came_late(stage.inbox)
            self._record("end")
        except IpvsloadError as error:
            if not self._writer.failed:
                self._record("invalid", reason=str(error))
            raise
        finally:
            progress.close()
            self._writer.close()

    def _set(self, stack: ExitStack, progress: Progress) -> Stage:
        # While the testbed comes up, Ctrl-C is Python's own KeyboardInterrupt.
        self._testbed.wait_ready()
        sidecar = Sidecar(self._testbed.open_samples(self._hz), self._clock)
        stack.callback(sidecar.close)
        clients = self._testbed.clients
        stage = Stage(
            self._scenario,
            self._testbed,
            self._writer,
            self._clock,
            sidecar,
            Sources(clients) if clients else None,
            progress,
        )
        for number in (SIGINT, SIGTERM):
            stack.callback(signal, number, getsignal(number))
            handler = gevent.signal_handler(number, stage.inbox.put, StoppedError())
            stack.callback(handler.cancel)
        stack.callback(gevent.spawn(self._watch_testbed, stage.inbox.put).kill)
        return stage

    def _record(self, kind: str, **data: str) -> None:
        self._writer.event(
            Event(0 if kind == "end" else self._number, self._clock.now_us(), kind, data)
        )

    def _watch_testbed(self, tell: Callable[[Exception], None]) -> None:
        while True:
            wait_read(self._testbed.fileno())
            if error := self._testbed.broken():
                tell(error)
                return


def _raise_what_came_late(inbox: "SimpleQueue[Any]") -> None:
    """An error of a run's very end, such as a full disk, has no wait to be met in."""
    while not inbox.empty():
        item = inbox.get()
        if isinstance(item, BaseException):
            raise item

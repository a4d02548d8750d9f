"""What real servers tell of their workers and queues, handed to a run as its samples are.

One greenlet reads what they tell for as long as the testbed is up; a run says
that it follows. Who tells is on this machine, so the clock is the same.
"""

import contextlib
from collections.abc import Callable
from typing import TypeAlias

import gevent

from ipvsload.experiment.clock import Clock
from ipvsload.record.format import OccupancySample
from ipvsload.record.occupancy_stream import OccupancyParser
from ipvsload.testbed.base import SidecarPipe

Occupied: TypeAlias = Callable[[OccupancySample], None]


class OccupancyReader:
    """Reads `pipe`. `observer` gets each sample, a follower those of its run."""

    def __init__(self, pipe: SidecarPipe, clock: Clock, observer: Occupied | None = None) -> None:
        self._pipe = pipe
        self._clock = clock
        self._observer = observer
        self._run = 0
        self._follower: Occupied | None = None
        self._reader = gevent.spawn(self._read)

    def follow(self, run: int, follower: Occupied | None) -> None:
        """From now on hand samples, marked with the run's number, to `follower`."""
        self._run, self._follower = run, follower

    def close(self) -> None:
        """Stop reading."""
        self._reader.kill()
        self._pipe.close()

    def _read(self) -> None:
        parser = OccupancyParser()
        # Where it ends or breaks off, the servers have ended; the testbed says so.
        with contextlib.suppress(OSError):
            while chunk := self._pipe.recv(1 << 18):
                for t_ns, servers in parser.feed(chunk):
                    t_us = self._clock.from_ns(t_ns)
                    if self._observer:
                        self._observer(OccupancySample(0, t_us, servers))
                    if self._follower:
                        self._follower(OccupancySample(self._run, t_us, servers))

"""Tells each connection of some services once, out of /proc/net/ip_vs_conn.

The file is read again and again, a slice at a time between the samples, so that these come
in time and all of it together costs a tenth of a core at most. The kernel keeps a connection
that was reset for 10 s and others for longer (ip_vs_proto_tcp.c, tcp_timeouts).
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from ipvsload.ipvs.connection_lines import (
    ConnectionLine,
    ConnectionRow,
    ServiceLines,
    ToldConnections,
    connection_row,
)
from ipvsload.ipvs.connections import CONNECTIONS
from ipvsload.ipvs.keys import Endpoint

SHARE = 0.08
"""Of a core, for all reading of connections; samples need some of a tenth, too."""
SLICE = 0.002
"""Seconds for which the file is read at once; what was read is looked through besides."""
_EVERY = 0.5
"""Seconds from one reading to the next, where the share permits it."""
_PIECE = 1 << 16
SOURCE = "ip_vs_conn"
_ROWS = 200
"""Connections a line: a pod's log breaks lines that are long."""

Line = dict[str, object]


class ConnectionReader:
    """The connections to `services` in the network namespace that `inside` enters.

    `share` is the part of a core that it may use. `due` is when it wants to go on, in seconds
    of the monotonic clock.
    """

    def __init__(
        self,
        services: Sequence[Endpoint],
        inside: AbstractContextManager[object] | None = None,
        share: float = SHARE,
        path: str = CONNECTIONS,
    ) -> None:
        self._lines, self._told = ServiceLines(services), ToldConnections()
        self._inside = inside or nullcontext()
        self._path = path
        self._pause = 1 / share - 1
        self._file = -1
        self._rest = b""
        self._entries = 0
        self._begun = self._last_begun = 0
        self.due = time.monotonic()

    def close(self) -> None:
        """Read no more."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def go_on(self) -> Iterator[Line]:
        """Read a slice, and give the lines about it."""
        began = time.monotonic()
        try:
            if self._file < 0:
                self._begin()
            data, ended = self._read(began + SLICE)
        except OSError as error:  # without IPVS there is no such file
            self.close()
            self._begun = 0
            why = f"{self._path}: {error.strerror}"
            yield read_line(time.monotonic_ns(), 0, SOURCE, why)
            self.due = began + _EVERY
            return
        self._entries += data.count(b"\n")
        yield from told(self._told.take(self._lines.find(data)))
        now = time.monotonic()
        self.due = now + (now - began) * self._pause
        if ended:
            yield from self._end()

    def _begin(self) -> None:
        with self._inside:
            self._file = os.open(self._path, os.O_RDONLY)
        self._last_begun, self._begun = self._begun, time.monotonic_ns()
        self._entries, self._rest = 0, b""

    def _read(self, until: float) -> tuple[bytes, bool]:
        """Whole lines, each with the end of the one before; and whether these were the last."""
        pieces, ended = [self._rest], False
        while not ended and (len(pieces) == 1 or time.monotonic() < until):
            pieces.append(os.read(self._file, _PIECE))
            ended = not pieces[-1]
        data = b"".join(pieces)
        end = data.rfind(b"\n")
        self._rest = data[max(end, 0) :]
        return data[: max(end, 0)], ended

    def _end(self) -> Iterator[Line]:
        self.close()
        self._told.end_reading()
        self.due = max(self.due, self._begun / 1e9 + _EVERY)
        if self._last_begun:  # one reading may pass an entry over, two in a row do not
            yield read_line(self._last_begun, self._entries, SOURCE)


def told(connections: Iterable[ConnectionLine]) -> Iterator[Line]:
    """The lines that tell them."""
    yield from told_rows([connection_row(one) for one in connections])


def told_rows(rows: Sequence[ConnectionRow]) -> Iterator[Line]:
    """The same of rows. Each line has a time of its own, to be known when it comes twice."""
    for at in range(0, len(rows), _ROWS):
        yield {"connections": rows[at : at + _ROWS], "t": time.monotonic_ns()}


def read_line(began: int, entries: int, source: str, why: str = "") -> Line:
    """The line that says how far connections are known."""
    read = {"entries": entries, "began": began, "source": source, "why": why}
    return {"connections_read": read, "t": time.monotonic_ns()}

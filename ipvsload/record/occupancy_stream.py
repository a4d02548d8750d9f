"""What real servers tell of themselves while they run: a stream of lines of JSON.

A line is [t_ns, [server, ...]], with the time on CLOCK_MONOTONIC of this machine,
and a server is [address, busy, queued, requests, overflowed, busy_us], as in
`ServerOccupancy`.
"""

import json
from collections.abc import Iterator

from ipvsload.record.format import ServerOccupancy


class OccupancyParser:
    """Takes the stream in any pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, tuple[ServerOccupancy, ...]]]:
        """The time in ns and the servers of each whole line. Raises ValueError for others."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            t_ns, servers = json.loads(line)
            yield t_ns, tuple(ServerOccupancy(*server) for server in servers)

"""The records that a run directory is made of, and their form on disk.

There are NDJSON files of events and samples, a third where the servers tell how busy they
are, and a file of columns (column_blocks.py) of the requests. All are only appended to. The
first line of each names its format and version; every other line, or block of columns, is
written when it happens, so that a killed run can be reported up to its last whole one.
All times are whole microseconds since the recording began, on the generator's
monotonic clock. The header of events.ndjson says when that was by the calendar.
"""

from dataclasses import dataclass
from typing import NamedTuple

from ipvsload.ipvs.table import VirtualService

VERSION = 1


class FormatError(ValueError):
    """A line is not a record of this format."""


EVENTS = "events.ndjson"
SAMPLES = "samples.ndjson"
REQUESTS = "requests.columns"
REQUEST_LINES = "requests.ndjson"
"""Requests as earlier versions recorded them, a line each."""
OCCUPANCY = "occupancy.ndjson"
CONNECTIONS = "connections.columns"
"""What the director's list of connections told; only where somebody read it."""
PACKETS = "packets"
"""The folder of the runs' witnesses; see packet_file.py."""
SCENARIO = "scenario.yaml"
RESULTS = "results.json"
KEPT = "kept.json"
"""What of a kept recording this one is held against; only where somebody asked for that."""

MODEL = "model"
"""The provider of a director that is no kernel: ipvsload's own model of IPVS."""

NO_SERVER = ""
"""The server of a request for which the director's table had none when it was asked."""


# A tuple, as a real server is: a run holds millions of them, and a frozen dataclass costs several
# times as much to make.
class Request(NamedTuple):
    """One finished request: one row of requests.columns.

    `latency_us` runs from `planned_us`, not from `start_us`: what an arrival
    waited before it could be sent counts (coordinated omission). `status` is 0
    and `error` names the cause where there was no whole answer: one of the words
    in failures.py. `reused` says that the
    connection had carried a request before. `server` is the real server's
    address:port, "" (`NO_SERVER`) where the director's table was asked and had
    none for the connection, or None where it is not known.

    `untaken` says that a kept connection never took the request, which was idle
    for `idle_us` before, and how it answered: "reset" (RST), "closed" (FIN),
    "refused" or "unreachable" (ICMP), or "silence". `retried` is how often the
    request was sent again then, on a new connection: 1, or 0 where it failed.

    `work_us` is the work that the request asked for, and `queue_us` how long it
    waited at the server for a worker, as the answer says; None where that is not
    known. `director` is the number, from 1, of the director that it was sent
    through; 0 where there is only one.
    """

    run: int
    traffic: str
    planned_us: int
    start_us: int
    latency_us: int
    status: int
    bytes: int
    client: str
    port: int
    reused: bool
    server: str | None
    error: str | None
    untaken: str | None = None
    idle_us: int = 0
    retried: int = 0
    work_us: int | None = None
    queue_us: int | None = None
    director: int = 0

    @property
    def failed(self) -> bool:
        """No whole answer, or one with a status of 400 and more."""
        return self.error is not None or self.status >= 400


class ListedConnection(NamedTuple):
    """A connection that was new to whoever read the director's list of them: one row of a file.

    It was read a moment before `t_us`. `client` and `port` are its client's, `server` is the real
    server's address:port, and `state` is as the kernel names it, such as "ESTABLISHED".
    """

    run: int
    t_us: int
    client: str
    port: int
    server: str
    state: str


@dataclass(frozen=True, slots=True)
class NewConnections:
    """Some rows that were read together, all of one run."""

    run: int
    rows: tuple[ListedConnection, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """The kernel's table at one instant: one line of samples.ndjson.

    `t_us` is the middle of the reading, `took_us` its length. In
    samples.ndjson only the services under test are kept.
    """

    run: int
    node: str
    t_us: int
    took_us: int
    services: tuple[VirtualService, ...]


class ServerOccupancy(NamedTuple):
    """What one real server with a capacity says of itself at one instant.

    `busy` workers are at work and `queued` requests wait for one. The others are
    counted since the server began: `requests` that it took up, those that
    `overflowed` (came when the queue was full), and `busy_us`, the time that its
    workers were at work, added up. So the mean of busy workers between two instants
    is the difference of `busy_us` by that of the time, however rarely one looks.
    """

    address: str
    busy: int
    queued: int
    requests: int
    overflowed: int
    busy_us: int


@dataclass(frozen=True, slots=True)
class OccupancySample:
    """What the real servers say of themselves at `t_us`: one line of occupancy.ndjson.

    The file is not there where no server told anything.
    """

    run: int
    t_us: int
    servers: tuple[ServerOccupancy, ...]

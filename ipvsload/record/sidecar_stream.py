"""Parsing what the sidecar writes: bytes go in as they come, messages come out.

Pure, so that a pipe, a pod's log and a recorded file are read by the same code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from ipvsload.errors import TestbedError
from ipvsload.ipvs.table import RealServer, VirtualService

VERSION = 1
_SHOWN = 200


class StreamError(TestbedError):
    """A line that `ipvsload collect` does not write."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first line: `t_ns` is CLOCK_MONOTONIC there at calendar time `wall_ns`.

    `table` is the boot of its kernel and the network namespace, with a space between
    them; "" where an older sidecar does not say it. `tells_connections`: it knows the command
    `connections`, or tells them by itself; older ones do neither.
    """

    node: str
    kernel: str
    ipvs: str
    hz: float
    t_ns: int
    wall_ns: int
    table: str = ""
    tells_connections: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample on the sidecar's own clock: the middle of the reading, and its length.

    `node` is "" where the sidecar has one node only, that of its Hello.
    """

    n: int
    t_ns: int
    took_ns: int
    services: tuple[VirtualService, ...]
    node: str = ""


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to `ping ID`, and the sidecar's clock as it read it.

    `others` are the clocks of further nodes, where a stream brings several.
    """

    id: str
    t_ns: int
    others: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """The last line: why ("SIGTERM", "SIGINT", "SIGHUP", "asked", "count") and how many."""

    reason: str
    samples: int
    missed: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set on a director besides its table, and at what time of its clock.

    `timeouts` are in seconds ("tcp", "tcp_fin", "udp"); {} where they cannot be
    read. `sysctls` are those of IPVS. `schedulers` says of each whether the kernel has
    it: "loaded", "built in", "loadable" or "absent"; {} where that is not known.
    `forwardings` says by a service's key how its real servers are reached, as
    "dr" or "dr and masq"; {} where all are masqueraded, or where that is not known.
    `ticks` are the kernel's jiffies in a second; 0 where that is not known. `node` as in a Reading.
    """

    t_ns: int
    timeouts: Mapping[str, int]
    sysctls: Mapping[str, int | str]
    node: str = ""
    schedulers: Mapping[str, str] = field(default_factory=dict)
    forwardings: Mapping[str, str] = field(default_factory=dict)
    ticks: int = 0


@dataclass(frozen=True, slots=True)
class NodeLost:
    """Nothing more comes of one of several nodes; the others go on."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Connections:
    """Connections of the service under test that were not there before, each once.

    A row is the client's address and port, the real server's address:port, the state as the
    kernel has it, such as "ESTABLISHED", and the port at which the service was asked.
    `t_ns` is when they were read; `node` as in a Reading.
    """

    t_ns: int
    rows: tuple[tuple[str, int, str, str, int], ...]
    node: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionsRead:
    """The whole list of connections has been read once more.

    All that was there at `began_ns` and after the reading before is told; `entries` is how many
    the list had, those of others too. `source` is where they were read: "ip_vs_conn", and
    others. `why` says what may be missing; "" where nothing can be.
    """

    began_ns: int
    t_ns: int
    entries: int
    source: str
    why: str = ""
    node: str = ""


Message = Hello | Reading | Pong | Settings | NodeLost | Connections | ConnectionsRead | End


class SidecarParser:
    """An incremental parser. A line that was cut short is never returned."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._server: itemgetter[Any] | None = None

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that `chunk` completes, in order.

        Raises StreamError on a line that is not the sidecar's, also where a value is
        of another type, or on a version of the format that is not ours.
        Unknown keys, and lines of unknown kinds, are ignored.
        """
        if b"\n" not in chunk:
            self._rest.append(chunk)
            return []
        *lines, rest = b"".join([*self._rest, chunk]).split(b"\n")
        self._rest = [rest] if rest else []
        messages = (self._parse(line) for line in lines if line.strip())
        return [message for message in messages if message is not None]

    def _parse(self, line: bytes) -> Message | None:
        try:
            value = json.loads(line)
            if not isinstance(value, dict):
                raise ValueError
            if self._server is None:
                return self._hello(value)
            if "services" in value:
                services = tuple([_service(one, self._server) for one in value["services"]])
                node = value.get("node", "")
                _typed(int, value["n"], value["t"], value["took"])
                _typed(str, node)
                return Reading(value["n"], value["t"], value["took"], services, node)
            if "pong" in value:
                others = value.get("others", {})
                _typed(int, value["t"], *others.values())
                _typed(str, value["pong"])
                return Pong(value["pong"], value["t"], others)
            if "settings" in value:
                told = value["settings"]
                timeouts, sysctls = dict(told["timeouts"]), dict(told["sysctls"])
                schedulers, node = dict(told.get("schedulers", {})), value.get("node", "")
                ticks = told.get("ticks", 0)
                _typed(int, value["t"], ticks, *timeouts.values())
                forwardings = dict(told.get("forwardings", {}))
                _typed(str, node, *schedulers.values(), *forwardings.values())
                _typed(str, *(one for one in sysctls.values() if type(one) is not int))
                return Settings(value["t"], timeouts, sysctls, node, schedulers, forwardings, ticks)
            if "connections" in value:
                rows = tuple(tuple(row) for row in value["connections"])
                node = value.get("node", "")
                _typed(int, value["t"])
                _typed(str, node)
                if any(tuple(map(type, row)) != _CONNECTION for row in rows):
                    raise TypeError
                return Connections(value["t"], rows, node)
            if "connections_read" in value:
                told, node = value["connections_read"], value.get("node", "")
                _typed(int, told["began"], value["t"], told["entries"])
                _typed(str, told["source"], told.get("why", ""), node)
                return ConnectionsRead(
                    told["began"], value["t"], told["entries"], told["source"],
                    told.get("why", ""), node,
                )  # fmt: skip
            if "lost" in value:
                _typed(str, value["lost"], value["reason"])
                return NodeLost(value["lost"], value["reason"])
            if "end" in value:
                _typed(str, value["end"])
                _typed(int, value["samples"], value["missed"])
                return End(value["end"], value["samples"], value["missed"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            shown = line[:_SHOWN].decode(errors="replace")
            raise StreamError(f"not a line of `ipvsload collect`: {shown!r}") from None
        return None

    def _hello(self, value: dict[str, Any]) -> Hello:
        if value.get("ipvsload") != "samples":
            raise ValueError
        if value.get("version") != VERSION:
            raise StreamError(
                f"the sidecar writes version {value.get('version')} of its format, this program "
                f"reads version {VERSION}: have the same ipvsload on both sides"
            )
        columns = value["server_columns"]
        lacking = [name for name in RealServer._fields if name not in columns]
        if lacking:
            raise StreamError(f"the sidecar does not tell {', '.join(lacking)} of its servers")
        self._server = itemgetter(*(columns.index(name) for name in RealServer._fields))
        keys = ("node", "kernel", "ipvs", "hz", "t", "wall", "table", "tells_connections")
        known = {"table": "", "tells_connections": False, **value}
        _typed(str, *(known[key] for key in ("node", "kernel", "ipvs", "table")))
        _typed(int, known["t"], known["wall"])
        if type(known["hz"]) is not int:
            _typed(float, known["hz"])
        return Hello(*(known[key] for key in keys))


_SERVER = (str, *[int] * 9)
_SERVICE = (str, str, *[int] * 7)
_CONNECTION = (str, int, str, str, int)


def _service(value: dict[str, Any], server: "itemgetter[Any]") -> VirtualService:
    servers = tuple([RealServer(*server(row)) for row in value["servers"]])
    fields = [value[name] for name in VirtualService._fields[:-1]]
    if any(tuple(map(type, one)) != _SERVER for one in servers):
        raise TypeError
    if tuple(map(type, fields)) != _SERVICE:
        raise TypeError
    return VirtualService._make([*fields, servers])


def _typed(kind: type, *values: Any) -> None:
    """Raises TypeError where a value is not of this type; a bool is no number here."""
    if any(type(value) is not kind for value in values):
        raise TypeError

"""Lines of the run directory, and back.

Requests were lines in earlier versions, and are only read. Decoding checks the types of every
line, so that all other code can rely on what the types of records say.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.events import Event, event_of
from ipvsload.record.format import (
    VERSION,
    FormatError,
    OccupancySample,
    Request,
    Sample,
    ServerOccupancy,
)
from ipvsload.record.recorded_machine import RecordedMachine, machine_of

_COMPACT = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
# The keys of objects, in the order in which they are read, and the types of their values.
_HEADER = {"ipvsload": str, "version": int}
_ORIGIN = {"origin_unix_us": int, "ipvsload_version": str, "scenario": str, "testbed": str}
_EVENT = {"run": int, "t_us": int, "kind": str, "data": dict}
_SAMPLE = {"run": int, "node": str, "t_us": int, "took_us": int, "services": list}
_SERVICE = dict(zip(VirtualService._fields, (str, str, *[int] * 7, list), strict=True))
_SERVER_TYPES = (str, *[int] * 9)
_OCCUPANCY = {"run": int, "t_us": int, "servers": list}
_OCCUPANCY_TYPES = (str, *[int] * 5)
_TEXT_OR_NONE = (str, type(None))
_INT_OR_NONE = (int, type(None))
_REQUEST_TYPES = frozenset(
    (int, str, int, int, int, int, int, str, int, bool, server, error, *more)
    for server in _TEXT_OR_NONE
    for error in _TEXT_OR_NONE
    for more in (
        (),
        *((untaken, int, int) for untaken in _TEXT_OR_NONE),
        *(
            (untaken, int, int, work, queue, int)
            for untaken in _TEXT_OR_NONE
            for work in _INT_OR_NONE
            for queue in _INT_OR_NONE
        ),
    )
)
_ALWAYS = 12
"""Columns of a request that each row has."""
_REST = (None, 0, 0, None, None, 0)
"""What a row does not say that ends before its last columns."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a file: which file it is and, for events, of which recording.

    `origin_unix_us` is the calendar time of the recording's zero, in
    microseconds since 1970 (UTC). `machine` is None where none made the load, as in a simulation,
    and in earlier records.
    """

    kind: str
    version: int = VERSION
    origin_unix_us: int = 0
    ipvsload: str = ""
    scenario: str = ""
    testbed: str = ""
    machine: RecordedMachine | None = None


def encode_sample(sample: Sample) -> str:
    """One line of samples.ndjson, with its newline."""
    line = {
        "run": sample.run,
        "node": sample.node,
        "t_us": sample.t_us,
        "took_us": sample.took_us,
        "services": [service._asdict() for service in sample.services],
    }
    return _COMPACT(line) + "\n"


def encode_occupancy(sample: OccupancySample) -> str:
    """One line of occupancy.ndjson, with its newline."""
    return _COMPACT({"run": sample.run, "t_us": sample.t_us, "servers": sample.servers}) + "\n"


def encode_event(event: Event) -> str:
    """One line of events.ndjson, with its newline."""
    return _COMPACT(event.to_json()) + "\n"


def encode_header(header: Header) -> str:
    """A file's first line, with its newline."""
    line: dict[str, Any] = {"ipvsload": header.kind, "version": header.version}
    if header.kind == "samples":
        line["server_columns"] = RealServer._fields
    elif header.kind == "occupancy":
        line["server_columns"] = ServerOccupancy._fields
    else:
        line |= {
            "origin_unix_us": header.origin_unix_us,
            "ipvsload_version": header.ipvsload,
            "scenario": header.scenario,
            "testbed": header.testbed,
        }
        if header.machine:
            line["machine"] = header.machine.to_json()
    return _COMPACT(line) + "\n"


def decode_requests(lines: list[bytes]) -> list[Request]:
    """The requests of many lines, parsed in one call; raises FormatError if a line is not one."""
    rows = _json(b"[" + b",".join(lines) + b"]")
    if len(rows) != len(lines):  # a comma too many inside a line
        raise FormatError("not a request")
    for row in rows:
        if type(row) is not list or tuple(map(type, row)) not in _REQUEST_TYPES:
            raise FormatError("not a request")
        row[1], row[7], row[10] = intern(row[1]), intern(row[7]), row[10] and intern(row[10])
        row += _REST[len(row) - _ALWAYS :]
    return list(map(Request._make, rows))


def decode_samples(lines: list[bytes]) -> list[Sample]:
    """The samples of many lines; raises FormatError if a line is not one."""
    samples = []
    for line in lines:
        run, node, t_us, took_us, services = _fields(_json(line), _SAMPLE)
        samples.append(Sample(run, node, t_us, took_us, tuple(map(_service, services))))
    return samples


def decode_occupancy(lines: list[bytes]) -> list[OccupancySample]:
    """What servers said, of many lines; raises FormatError if a line is not that."""
    samples = []
    for line in lines:
        run, t_us, servers = _fields(_json(line), _OCCUPANCY)
        _rows(servers, _OCCUPANCY_TYPES)
        samples.append(OccupancySample(run, t_us, tuple(map(ServerOccupancy._make, servers))))
    return samples


def decode_events(lines: list[bytes]) -> list[Event]:
    """The events of many lines; raises FormatError if a line is not one."""
    return [event_of(*_fields(_json(line), _EVENT)) for line in lines]


def decode_header(line: bytes) -> Header:
    """The header of a file's first line; raises FormatError."""
    value = _json(line)
    kind, version = _fields(value, _HEADER)
    if kind != "events" or version != VERSION:
        return Header(kind, version)
    return Header(kind, version, *(*_fields(value, _ORIGIN), machine_of(value.get("machine"))))


def _service(value: Any) -> VirtualService:
    *fields, servers = _fields(value, _SERVICE)
    _rows(servers, _SERVER_TYPES)
    return VirtualService._make([*fields, tuple(map(RealServer._make, servers))])


def _rows(servers: list[Any], types: tuple[type, ...]) -> None:
    for row in servers:
        if type(row) is not list or tuple(map(type, row)) != types:
            raise FormatError("not a real server")


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:  # a UnicodeDecodeError is a ValueError
        raise FormatError("not JSON") from error


def _fields(value: Any, types: Mapping[str, type]) -> list[Any]:
    if type(value) is not dict:
        raise FormatError("not an object")
    for name, kind in types.items():
        if type(value.get(name)) is not kind:
            raise FormatError(f'without a right "{name}"')
    return [value[name] for name in types]

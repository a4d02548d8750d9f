import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record import codec
from ipvsload.record.events import Event, OtherEvent, RecordingEnded, RunEnded, StepDone
from ipvsload.record.format import (
    FormatError,
    OccupancySample,
    Request,
    Sample,
    ServerOccupancy,
)
from ipvsload.record.recorded_machine import RecordedMachine, machine_of
from tests.record.request_lines import request_line

counts = st.integers(0, 2**64 - 1)
times = st.integers(-(2**40), 2**62)
once = st.builds(
    Request,
    run=counts, traffic=st.text(), planned_us=times, start_us=times, latency_us=counts,
    status=st.integers(0, 999), bytes=counts, client=st.text(), port=st.integers(0, 65535),
    reused=st.booleans(), server=st.none() | st.text(), error=st.none() | st.text(),
    untaken=st.none(), idle_us=st.just(0), retried=st.just(0),
)  # fmt: skip
untaken = st.tuples(st.text(), counts, counts)
retried = once | st.builds(lambda one, more: Request(*one[:12], *more), once, untaken)
maybe = st.none() | times
requests = retried | st.builds(
    Request._replace, retried, work_us=maybe, queue_us=maybe, director=counts
)
servers = st.builds(RealServer, st.text(), *[counts] * 9)
services = st.builds(
    VirtualService, st.text(), st.text(), *[counts] * 7, st.lists(servers, max_size=3).map(tuple)
)
samples = st.builds(
    Sample, counts, st.text(), times, counts, st.lists(services, max_size=2).map(tuple)
)
occupied = st.builds(ServerOccupancy, st.text(), *[counts] * 5)
occupancies = st.builds(OccupancySample, counts, times, st.lists(occupied, max_size=3).map(tuple))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
others = st.builds(
    OtherEvent,
    counts,
    times,
    st.sampled_from(["other", "stop"]),
    st.dictionaries(st.text(), values),
)
amounts = st.integers(-(2**53), 2**53) | st.floats(0, 1e9)
FIELDS = {
    "kernel": st.dictionaries(st.text(), values),
    "offset_us": amounts,
    "uncertainty_us": amounts,
    "retransmits": counts,
    "timeouts": st.dictionaries(st.text(), counts),
    "sysctls": st.dictionaries(st.text(), st.integers() | st.text()),
    "seconds": st.dictionaries(st.text(), amounts),
}


def one_of_type(event_type: type[Event]) -> st.SearchStrategy[Event]:
    own = {name: FIELDS[name] for name in FIELDS if name in event_type.__annotations__}
    return st.builds(event_type, run=counts, t_us=times, **own)


events = others | st.one_of(
    *(one_of_type(one) for one in Event.__subclasses__() if one is not OtherEvent)
)


@given(st.lists(requests, min_size=1, max_size=4))
def test_requests_survive_their_lines(found: list[Request]) -> None:
    lines = [request_line(request).encode() for request in found]
    assert codec.decode_requests(lines) == found


@given(samples)
def test_samples_survive_their_lines(sample: Sample) -> None:
    line = codec.encode_sample(sample).encode()
    assert line.count(b"\n") == 1
    assert codec.decode_samples([line]) == [sample]


@given(st.lists(occupancies, min_size=1, max_size=3))
def test_what_servers_say_survives_its_lines(found: list[OccupancySample]) -> None:
    lines = [codec.encode_occupancy(sample).encode() for sample in found]
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)
    assert codec.decode_occupancy(lines) == found


@settings(max_examples=300)
@given(events)
def test_events_survive_their_lines(event: Event) -> None:
    line = codec.encode_event(event).encode()
    assert line.count(b"\n") == 1
    assert codec.decode_events([line]) == [event]


def test_columns_are_the_fields_in_their_order() -> None:
    server = "address weight active inactive persistent conns inpkts outpkts inbytes outbytes"
    assert RealServer._fields == tuple(server.split())
    header = json.loads(codec.encode_header(codec.Header("occupancy")))
    occupancy = "address busy queued requests overflowed busy_us"
    assert header["server_columns"] == occupancy.split()


@given(st.binary() | values.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_no_record_is_a_format_error(line: bytes) -> None:
    for decode in (
        codec.decode_requests, codec.decode_samples, codec.decode_occupancy, codec.decode_events,
    ):  # fmt: skip
        with pytest.raises(FormatError):
            decode([line])


@pytest.mark.parametrize("column", range(18))
def test_a_request_with_one_wrong_type_is_refused(column: int) -> None:
    row: list[object] = [
        *(1, "short", 0, 0, 5, 200, 31, "198.51.100.200", 4000, False, None, None, None, 0, 0),
        *(None, None, 0),
    ]
    assert codec.decode_requests([json.dumps(row).encode()])
    row[column] = 1.5
    with pytest.raises(FormatError):
        codec.decode_requests([json.dumps(row).encode()])


@pytest.mark.parametrize("column", range(6))
def test_a_server_that_says_one_wrong_type_is_refused(column: int) -> None:
    row: list[object] = ["198.51.100.11:80", 8, 3, 100, 0, 5_000]
    line = {"run": 1, "t_us": 7, "servers": [row]}
    assert codec.decode_occupancy([json.dumps(line).encode()])
    row[column] = 1.5
    with pytest.raises(FormatError, match="not a real server"):
        codec.decode_occupancy([json.dumps(line).encode()])


def test_two_rows_on_one_line_are_refused() -> None:
    row = '[1,"short",0,0,5,200,31,"198.51.100.200",4000,false,null,null]'
    with pytest.raises(FormatError):
        codec.decode_requests([f"{row},{row}".encode()])


RUN = {"scheduler": "rr", "repeat": 1, "kernel": {}, "service": ""}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("run", {"scheduler": "rr"}),
        ("run", RUN | {"baseline_conns": {"a": "b"}}),
        ("run-end", {"complete": True, "seconds": {"setup": "long"}}),
        ("invalid", {"reason": 7}),
        ("step-done", {"index": 0, "saw": "x"}),
    ],
)
def test_an_event_without_what_its_kind_needs_is_refused(
    kind: str, data: dict[str, object]
) -> None:
    line = codec.encode_event(OtherEvent(1, 0, kind, data)).encode()
    with pytest.raises(FormatError, match=kind):
        codec.decode_events([line])


def test_an_event_with_keys_of_another_version_is_read_without_them() -> None:
    line = b'{"run":1,"t_us":2,"kind":"end","data":{"mood":"good"},"more":[1]}'
    assert codec.decode_events([line]) == [RecordingEnded(1, 2)]


def test_an_event_may_lack_a_key_that_earlier_versions_did_not_write() -> None:
    line = b'{"run":1,"t_us":2,"kind":"run-end","data":{"complete":true,"seconds":{}}}'
    assert codec.decode_events([line]) == [RunEnded(1, 2, complete=True, retransmits=0, seconds={})]


def test_an_event_may_lack_what_may_be_null() -> None:
    line = b'{"run":1,"t_us":2,"kind":"step-done","data":{"index":0,"waited_us":5}}'
    assert codec.decode_events([line]) == [StepDone(1, 2, index=0, saw=None, waited_us=5)]


def test_header() -> None:
    header = codec.Header("events", 1, 1_767_225_600_000_000, "0.1.0", "skew", "lab")
    assert codec.decode_header(codec.encode_header(header).encode()) == header


machines = st.builds(
    RecordedMachine,
    processor=st.text(),
    cores=st.none() | counts,
    memory_gib=st.none() | st.floats(0, 1e6),
    kernel=st.text(),
    versions=st.dictionaries(st.text(), st.text()),
)


@given(machines)
def test_the_machine_is_in_the_first_line(machine: RecordedMachine) -> None:
    header = codec.Header("events", 1, 0, "0.1.0", "skew", "lab", machine)
    assert codec.decode_header(codec.encode_header(header).encode()) == header


@given(st.dictionaries(st.sampled_from([*RecordedMachine.__slots__, "other"]), values))
def test_what_is_not_right_of_a_machine_is_not_known(told: dict[str, object]) -> None:
    line = json.loads(codec.encode_header(codec.Header("events"))) | {"machine": told}
    machine = codec.decode_header(json.dumps(line).encode()).machine
    assert machine is not None
    assert machine_of(machine.to_json()) == machine

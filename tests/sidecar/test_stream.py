"""The two ends of the NDJSON agree: what lines.py writes, stream.py reads."""

import json
from itertools import pairwise
from socket import AF_INET, AF_INET6, htons

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.errors import TestbedError
from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.clock_alignment import Alignment, align
from ipvsload.record.sidecar_stream import (
    End,
    Hello,
    Message,
    Pong,
    Reading,
    Settings,
    SidecarParser,
    StreamError,
)
from ipvsload.sidecar.lines import SampleFormatter

HELLO = {
    "ipvsload": "samples", "version": 1, "node": "n", "kernel": "6.1", "ipvs": "1.2.1",
    "hz": 10, "t": 5, "wall": 6, "server_columns": list(RealServer._fields),
}  # fmt: skip
V4 = bytes([198, 51, 100, 11]).ljust(16, b"\0")
V6 = bytes.fromhex("20010db8000000000000000000000011")
TABLE = [
    (
        (int(AF_INET), 6, bytes([192, 0, 2, 80]).ljust(16, b"\0"), htons(80), 0, b"rr\0",
         (2).to_bytes(4, "little") + b"\xff" * 4, 300, 1, 2, 3, 4, 2**64 - 1),
        [
            (int(AF_INET), [(V4, htons(80), 1, 2, 3, 4, 5, 6, 7, 8, 9)]),
            (int(AF_INET6), [(V6, htons(81), 0, 0, 0, 0, 0, 0, 0, 0, 2**64 - 1)]),
        ],
    ),
    ((int(AF_INET6), 0, 0, 0, 7, b"sh\0", bytes(8), 0, 0, 0, 0, 0, 0),
     [(0, [(V6, htons(0), 1, 0, 0, 0, 0, 0, 0, 0, 0)])]),
]  # fmt: skip
SERVICES = (
    VirtualService(
        "tcp 192.0.2.80:80", "rr", 2, 300, 1, 2, 3, 4, 2**64 - 1,
        (
            RealServer("198.51.100.11:80", 1, 2, 3, 4, 5, 6, 7, 8, 9),
            RealServer("[2001:db8::11]:81", 0, 0, 0, 0, 0, 0, 0, 0, 2**64 - 1),
        ),
    ),
    VirtualService("fwmark 7 v6", "sh", 0, 0, 0, 0, 0, 0, 0,
            (RealServer("[2001:db8::11]:0", 1, 0, 0, 0, 0, 0, 0, 0, 0),)),
)  # fmt: skip


def line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def whole() -> bytes:
    texts = SampleFormatter()
    samples = texts.sample(0, 100, 7, TABLE) + texts.sample(1, 200, 8, TABLE)
    return (
        line(HELLO)
        + samples.encode()
        + line({"settings": {"timeouts": {"tcp": 900}, "sysctls": {"conntrack": 1}}, "t": 250})
        + line({"pong": "x", "t": 300})
        + line({"end": "SIGTERM", "samples": 2, "missed": 1})
    )


MESSAGES = [
    Hello("n", "6.1", "1.2.1", 10, 5, 6),
    Reading(0, 100, 7, SERVICES),
    Reading(1, 200, 8, SERVICES),
    Settings(250, {"tcp": 900}, {"conntrack": 1}),
    Pong("x", 300),
    End("SIGTERM", 2, 1),
]


@given(st.lists(st.integers(0, 3000)))
def test_what_is_written_is_read_however_it_is_cut(cuts: list[int]) -> None:
    data, stream, found = whole(), SidecarParser(), list[Message]()
    edges = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    for start, end in pairwise(edges):
        found += stream.feed(data[start:end])
    assert found == MESSAGES


@given(st.integers(1, 2000))
def test_a_line_cut_short_at_the_end_is_left_out(cut: int) -> None:
    data = whole()
    kept = data[: -(cut % len(data)) or None]
    assert SidecarParser().feed(kept) == MESSAGES[: kept.count(b"\n")]


def test_columns_may_stand_otherwise_and_there_may_be_more() -> None:
    columns = ["new", *reversed(RealServer._fields)]
    stream = SidecarParser()
    stream.feed(line({**HELLO, "server_columns": columns, "more": 1}))
    row = [99, *reversed(["a:1", 1, 2, 3, 4, 5, 6, 7, 8, 9])]
    service: dict[str, object] = dict.fromkeys(
        ("flags", "persistent_timeout", "conns", "inpkts", "outpkts"), 0
    )
    service |= {"key": "k", "scheduler": "rr", "inbytes": 0, "outbytes": 0, "servers": [row]}
    (reading,) = stream.feed(line({"n": 0, "t": 1, "took": 1, "services": [{**service, "x": 1}]}))
    assert isinstance(reading, Reading)
    assert reading.services[0].servers == (RealServer("a:1", 1, 2, 3, 4, 5, 6, 7, 8, 9),)


ODD: st.SearchStrategy[object] = st.sampled_from([None, True, [], {}, "", "x", 1.5, -1])
KINDS: dict[type, tuple[type, ...]] = {int: (int,), str: (str,), float: (int, float)}


@given(st.integers(0, 5), st.integers(0, 30), ODD)
def test_a_value_of_another_type_is_refused(which: int, place: int, odd: object) -> None:
    lines = [json.loads(one) for one in whole().splitlines()]
    message = lines[which]
    parents = [message, *(message.get("services") or []), message.get("settings", {})]
    parents += [one["servers"][0] for one in message.get("services", [])]
    parents += [message.get("settings", {}).get(name, {}) for name in ("timeouts", "sysctls")]
    parent = parents[place % len(parents)]
    keys = list(range(len(parent))) if isinstance(parent, list) else list(parent)
    if not keys:
        return
    key = keys[place % len(keys)]
    was, parent[key] = parent[key], odd
    stream = SidecarParser()
    try:
        found = [one for each in lines for one in stream.feed(line(each))]
    except StreamError:
        return
    same = type(odd) in KINDS.get(type(was), (type(was),))
    assert same or len(found) < len(MESSAGES) or key in ("hz", "conntrack"), (key, was, odd)


def test_lines_of_an_unknown_kind_are_passed_over() -> None:
    assert SidecarParser().feed(line(HELLO) + line({"weather": "fine"})) == MESSAGES[:1]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (line({**HELLO, "version": 2}), "version 2.*reads version 1"),
        (line({**HELLO, "server_columns": ["address"]}), "does not tell weight, active"),
        (line({"hello": 1}), "not a line of `ipvsload collect`"),
        (b"bash: ipvsload: command not found\n", "command not found"),
        (b"[1, 2]\n", "not a line"),
        (line(HELLO) + b"{\n", "not a line"),
        (line(HELLO) + b'{"services": [{}], "n": 0, "t": 0, "took": 0}\n', "not a line"),
        (line(HELLO) + b'{"services": 5, "n": 0, "t": 0, "took": 0}\n', "not a line"),
        (b"\xff\xfe\n", "not a line"),
    ],
)
def test_what_is_not_the_sidecar_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(StreamError, match=says) as caught:
        SidecarParser().feed(data)
    assert isinstance(caught.value, TestbedError)


@given(
    st.integers(-(2**62), 2**62),
    st.lists(
        st.tuples(st.integers(0, 10**12), st.integers(0, 10**9), st.integers(0, 10**9)),
        min_size=1,
    ),
)
def test_the_true_offset_is_within_the_uncertainty(
    offset: int, exchanges: list[tuple[int, int, int]]
) -> None:
    """Whatever the way there and the way back took."""
    triples = [
        (sent, sent + there + offset, sent + there + back) for sent, there, back in exchanges
    ]
    found = align(triples)
    assert abs(found.offset_ns - offset) <= found.uncertainty_ns
    assert found.uncertainty_ns == min((there + back + 1) // 2 for _, there, back in exchanges)
    assert Alignment(offset, 0).to_ours(exchanges[0][0] + offset) == exchanges[0][0]


def test_no_exchange_no_alignment() -> None:
    with pytest.raises(ValueError, match="empty"):
        align([])

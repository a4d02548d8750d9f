"""The parser: the same answer however the bytes come, and no evil that gets through."""

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.load.http_response import MAX_HEAD, MAX_INTERIM, HttpResponse, MalformedError

Outcome = tuple[bool, int, int, bool, str | None, int | None] | None


def fed(pieces: list[bytes], *, ended: bool = False) -> Outcome:
    """Whole, status, size, keep, server and queue after these pieces; None: malformed."""
    response = HttpResponse()
    whole = False
    try:
        for piece in pieces:
            whole = response.feed(piece)
    except MalformedError:
        return None
    if ended:
        whole = response.end()
    kept = whole and response.keep
    return whole, response.status, response.size, kept, response.server, response.queue_us


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Answers as servers send them: any framing, with or without surplus."""
    lines = [
        draw(st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 404 Not Found", b"HTTP/1.1 204"]))
    ]
    lines += draw(
        st.lists(
            st.sampled_from(
                [
                    b"Connection: close",
                    b"connection: Keep-Alive",
                    b"X-Real-Server: a:80",
                    b"X: \xff",
                    b"Server-Timing: queue;dur=1.5, work;dur=2",
                    b"Server-Timing: work;dur=2",
                    b"server-timing: queue;dur=3",
                ]
            )
        )
    )
    body = draw(st.binary(max_size=40))
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    if framing == "length":
        lines.append(b"Content-Length: %d" % len(body))
    elif framing == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
        cuts = sorted({0, len(body), *draw(st.lists(st.integers(0, len(body)), max_size=3))})
        chunks = [body[a:b] for a, b in pairwise(cuts)]
        body = b"".join(b"%X;q=1\r\n%s\r\n" % (len(c), c) for c in chunks if c)
        body += b"0\r\n" + draw(st.sampled_from([b"", b"T: 1\r\n"])) + b"\r\n"
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    surplus = draw(st.sampled_from([b"", b"", b"x", b"HTTP/1.1 200 OK\r\n\r\n"]))
    return interim + b"\r\n".join(lines) + b"\r\n\r\n" + body + surplus


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An answer with some bytes put in, taken out or changed."""
    data = bytearray(draw(answers()))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        data[place : place + draw(st.integers(0, 2))] = draw(
            st.sampled_from([b"", b"\r", b"\n", b"\r\n", b":", b" ", b"\0", b"-1", b"9" * 20, b"f"])
        )
    return bytes(data)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


@given(st.one_of(answers(), damaged(), st.binary()), st.lists(st.integers(0, 500)), st.booleans())
def test_any_split_of_the_bytes_gives_the_same_answer(
    data: bytes, cuts: list[int], ended: bool
) -> None:
    whole = fed([data] if data else [], ended=ended)
    assert fed(split(data, cuts), ended=ended) == whole
    assert fed([data[n : n + 1] for n in range(len(data))], ended=ended) == whole


@given(answers())
def test_a_well_formed_answer_is_whole_at_its_end(data: bytes) -> None:
    outcome = fed([data], ended=True)
    assert outcome is not None
    assert outcome[0]


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", (True, 200, 3, True, None)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", (True, 200, 3, False, None)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", (False, 200, 2, False, None)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc", (True, 200, 3, True, None)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", (True, 200, 0, False, None)),
        (
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
            (True, 200, 0, True, None),
        ),
        (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\n"
            b"Content-Length: 0\r\n\r\n",
            (True, 200, 0, False, None),
        ),
        (b"HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n", (True, 304, 0, True, None)),
        (b"HTTP/1.1 200 OK\r\nx-REAL-server: a:80\r\n\r\nabc", (False, 200, 3, False, "a:80")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            (True, 200, 2, True, None),
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
            (True, 200, 0, False, None),
        ),
    ],
)
def test_what_an_answer_says(data: bytes, outcome: tuple[bool, int, int, bool, str | None]) -> None:
    assert fed([data]) == (*outcome, None)


@pytest.mark.parametrize(
    ("lines", "queue_us"),
    [
        (["Server-Timing: queue;dur=12.345, work;dur=20"], 12_345),
        (["Server-Timing: work;dur=20, queue;dur=0"], 0),
        (['Server-Timing: cache;desc="a, b", queue ; desc=x; dur = 7'], 7_000),
        (["server-timing: queue;dur=0.0005"], 0),
        (["Server-Timing: db;dur=1", "X: y", "Server-Timing: queue;dur=2"], 2_000),
        (["Server-Timing: queue"], None),
        (["Server-Timing: queue;dur=-1"], None),
        (["Server-Timing: queue;dur=nan"], None),
        (["Server-Timing: myqueue;dur=1, queue2;dur=2"], None),
        (["Server-Timing: queue;desc=x, work;dur=2"], None),
        (["Server-Timing:"], None),
    ],
)
@pytest.mark.parametrize("more", [[], ["X-Real-Server: a:80"]])
def test_the_time_in_the_servers_queue(
    lines: list[str], queue_us: int | None, more: list[str]
) -> None:
    """Of W3C Server Timing, in ms, wherever it stands, and however the bytes come."""
    head = "\r\n".join(["HTTP/1.1 200 OK", "Content-Length: 0", *lines, *more])
    data = head.encode() + b"\r\n\r\n"
    server = "a:80" if more else None
    for pieces in ([data], [data[:30], data[30:]]):
        assert fed(pieces) == (True, 200, 0, True, server, queue_us)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20x OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ],
)
def test_what_is_no_answer(data: bytes) -> None:
    assert fed([data]) is None


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 100),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 1000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"T: 1\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"x" * 1000),
    ],
)
def test_endless_heads_and_trailers_are_refused(begin: bytes, more: bytes) -> None:
    assert fed([begin, *[more] * (2 + max(MAX_INTERIM, MAX_HEAD // len(more)))]) is None


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", b"x" * 10_000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"surplus" * 1_000),
    ],
)
def test_endless_bodies_are_counted_and_not_kept(begin: bytes, more: bytes) -> None:
    response = HttpResponse()
    response.feed(begin)
    tracemalloc.start()
    try:
        for _ in range(50):
            response.feed(more)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(more)
    finally:
        tracemalloc.stop()

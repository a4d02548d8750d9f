"""Reading HTTP/1.x answers, as a pure function of the bytes.

A load generator needs six things of an answer: that it is whole, its status,
the length of its body, who sent it, how long it waited there for a worker
(W3C Server Timing, the metric "queue"), and whether the connection may be used
again. Bodies are counted and not kept, so an answer takes no more memory than
its head, which has a limit. Heads repeat (they change once a second, with their
date), so what was understood of one is remembered by its bytes, without a
Server-Timing at its end, where the lab's servers put it.

This is not httptools, because that takes three times as long for a typical
small answer, sets no limit to heads, trailers and interim answers, and takes a
second answer that nobody asked for as a part of the first.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from sys import maxsize
from typing import NamedTuple

MAX_HEAD = 65_536
"""Longest head, and longest trailer, in bytes; a longer one is malformed."""
MAX_CHUNK_LINE = 1_024
MAX_INTERIM = 16
"""Most interim (1xx) answers before the final one."""
REAL_SERVER = b"x-real-server"
SERVER_TIMING = b"server-timing"
_TIMING_LINE = b"\r\nServer-Timing:"

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: .*)?", re.DOTALL)
_LENGTH = re.compile(rb"\d{1,18}")
_CHUNK_LINE = re.compile(rb"\s*([\da-fA-F]{1,15})\s*(?:;.*)?", re.DOTALL)
_QUEUE = re.compile(
    rb"""(?:^|,)\s*queue\s*;(?:[^,"]|"[^"]*")*?\bdur\s*=\s*"?(\d{1,12}(?:\.\d{1,12})?)"""
)
_MAX_TIMING = 1_024


class MalformedError(ValueError):
    """These bytes are not an HTTP/1.x answer."""


class Head(NamedTuple):
    """What a status line and headers say.

    `length` is the body's length in bytes, -1 for a chunked body, -2 for one
    that ends with the connection. `queue_us` is the time in the server's queue.
    """

    status: int
    length: int
    keep: bool
    server: str | None
    queue_us: int | None = None


CHUNKED = -1
UNTIL_CLOSE = -2


@lru_cache(maxsize=1024)
def parse_head(head: bytes) -> Head:
    """Understand a head, without the empty line that ends it.

    Raises:
        MalformedError: not a status line and headers, or lengths that differ.
    """
    first, *lines = head.split(b"\r\n")
    matched = _STATUS_LINE.fullmatch(first)
    if matched is None:
        raise MalformedError(f"status line {first[:40]!r}")
    keep, status = matched[1] == b"1", int(matched[2])
    headers: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise MalformedError(f"header {line[:40]!r}")
        headers.setdefault(name.lower(), []).append(value.strip())
    lengths = set(_items(headers, b"content-length"))
    codings = _items(headers, b"transfer-encoding")
    options = _items(headers, b"connection")
    server = headers[REAL_SERVER][-1].decode("latin-1") if REAL_SERVER in headers else None
    keep = b"close" not in options and (keep or b"keep-alive" in options)
    queue_us = time_in_queue(b",".join(headers.get(SERVER_TIMING, ())))
    if status < 200 or status in (204, 304):
        return Head(status, 0, keep, server, queue_us)
    if codings and codings[-1] == b"chunked":
        # Two framings at once may hide a second answer: do not go on.
        return Head(status, CHUNKED, keep and not lengths, server, queue_us)
    if codings or not lengths:
        return Head(status, UNTIL_CLOSE, False, server, queue_us)
    text = lengths.pop()
    if lengths or not _LENGTH.fullmatch(text):
        raise MalformedError("Content-Length")
    return Head(status, int(text), keep, server, queue_us)


def time_in_queue(timing: bytes) -> int | None:
    """The duration of the metric "queue" in a Server-Timing, in µs; None where it has none."""
    found = _QUEUE.search(timing[:_MAX_TIMING])
    return round(float(found[1]) * 1000) if found else None


def _items(headers: dict[bytes, list[bytes]], name: bytes) -> list[bytes]:
    """A header's values, which commas separate, in lower case."""
    return [item.strip() for value in headers.get(name, ()) for item in value.lower().split(b",")]


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What is kept of an answer; of one that broke off, as far as it came.

    `status` is 0 and `server` None until the head was whole; `size` counts the bytes of
    the body. `keep` says, of a whole answer, that the connection can carry another request.
    `queue_us` is how long it waited for a worker of the server, as that says; None where it
    does not.
    """

    status: int
    size: int
    keep: bool
    server: str | None
    queue_us: int | None


NO_ANSWER = ReadAnswer(0, 0, False, None, None)


def whole_answer(data: bytes) -> ReadAnswer | None:
    """An answer that came in one piece, as nearly every one does; None: it did not.

    Raises:
        MalformedError: the head of it is none.
    """
    end = data.find(b"\r\n\r\n")
    if not 0 <= end <= MAX_HEAD:
        return None
    timing = data.find(_TIMING_LINE, 0, end)
    at_end = timing > 0 and data.find(b"\r\n", timing + 2, end) < 0
    head = parse_head(data[: timing if at_end else end])
    if head.status < 200 or len(data) - end - 4 != head.length:
        return None
    queue_us = head.queue_us
    if at_end and queue_us is None:
        queue_us = time_in_queue(data[timing + len(_TIMING_LINE) : end])
    answer = ReadAnswer(head.status, head.length, head.keep, head.server, queue_us)
    if not at_end and len(data) <= _REMEMBERED_BYTES:
        if len(known_answers) >= _REMEMBERED:
            known_answers.clear()
        known_answers[data] = answer
    return answer


known_answers: dict[bytes, ReadAnswer] = {}
"""Whole answers by their bytes: many are the same from the first byte to the last."""
_REMEMBERED = 1024
_REMEMBERED_BYTES = 2048


class HttpResponse:
    """One answer, fed as it comes, in any pieces.

    See `ReadAnswer` for its attributes.
    """

    __slots__ = ("_pending", "_reader", "_until_close", "_whole", "keep", "queue_us",
                 "server", "size", "status")  # fmt: skip

    def __init__(self) -> None:
        self.status = 0
        self.size = 0
        self.server: str | None = None
        self.queue_us: int | None = None
        self.keep = False
        self._pending = b""
        self._reader = self._read()
        self._until_close = False
        self._whole = False

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; True once the answer is whole.

        Raises:
            MalformedError: this is no answer; nothing more may be fed.
        """
        self._pending += data
        self._whole = next(self._reader, True)
        if self._whole and self._pending:
            # Nobody asked for more: the answer counts, the connection cannot be used again.
            self.keep = False
            self._pending = b""
        return self._whole

    @property
    def answer(self) -> ReadAnswer:
        """What is known of it now."""
        return ReadAnswer(self.status, self.size, self.keep, self.server, self.queue_us)

    def end(self) -> bool:
        """The server has closed its side; True if that makes the answer whole."""
        return self._whole or self._until_close

    # Generators that take what they understand from _pending. They yield False
    # when they need more than is there, and end when they have it all.

    def _read(self) -> Generator[bool, None, None]:
        for interim in count():
            head_bytes = yield from self._read_until(b"\r\n\r\n", MAX_HEAD, "a head")
            head = parse_head(head_bytes)
            if head.status >= 200:
                break
            if head.status == 101 or interim == MAX_INTERIM:
                raise MalformedError(f"status {head.status}")
        self.status, self.keep, self.server = head.status, head.keep, head.server
        self.queue_us = head.queue_us
        if head.length != CHUNKED:
            self._until_close = head.length == UNTIL_CLOSE
            yield from self._read_body(maxsize if self._until_close else head.length)
            return
        while True:
            line = yield from self._read_until(b"\r\n", MAX_CHUNK_LINE, "a chunk's size")
            matched = _CHUNK_LINE.fullmatch(line)
            if matched is None:
                raise MalformedError("a chunk's size")
            size = int(matched[1], 16)
            if not size:
                break
            yield from self._read_body(size)
            yield from self._read_until(b"\r\n", 0, "a chunk")
        left = MAX_HEAD
        while line := (yield from self._read_until(b"\r\n", left - 2, "a trailer")):
            left -= len(line) + 2

    def _read_body(self, length: int) -> Generator[bool, None, None]:
        while length > len(self._pending):
            length -= len(self._pending)
            self.size += len(self._pending)
            self._pending = b""
            yield False
        self.size += length
        self._pending = self._pending[length:]

    def _read_until(self, mark: bytes, limit: int, what: str) -> Generator[bool, None, bytes]:
        """Take what comes before `mark`, and the mark; it may have `limit` bytes."""
        while (end := self._pending.find(mark)) < 0 and len(self._pending) < limit + len(mark):
            yield False
        if not 0 <= end <= limit:
            raise MalformedError(f"{what} does not end within {limit} bytes")
        taken, self._pending = self._pending[:end], self._pending[end + len(mark) :]
        return taken

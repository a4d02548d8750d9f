"""Reading HTTP/1.x answers, as a pure function of the bytes.

A load generator needs five things of an answer: that it is whole, its status,
the length of its body, who sent it, and whether the connection may be used
again. Bodies are counted and not kept, so an answer takes no more memory than
its head, which has a limit. Heads repeat (they change once a second, with their
date), so what was understood of one is remembered by its bytes.

This is not httptools, because that takes three times as long for a typical
small answer, sets no limit to heads, trailers and interim answers, and takes a
second answer that nobody asked for as a part of the first.
"""

from functools import lru_cache
from typing import NamedTuple

MAX_HEAD = 65_536
"""Longest head, and longest trailer, in bytes; a longer one is malformed."""
MAX_CHUNK_LINE = 1_024
MAX_INTERIM = 16
"""Most interim (1xx) answers before the final one."""
REAL_SERVER = b"x-real-server"

_DIGITS = frozenset(b"0123456789")
_HEX = frozenset(b"0123456789abcdefABCDEF")


class MalformedError(ValueError):
    """These bytes are not an HTTP/1.x answer."""


class Head(NamedTuple):
    """What a status line and headers say.

    `length` is the body's length in bytes, -1 for a chunked body, -2 for one
    that ends with the connection.
    """

    status: int
    length: int
    keep: bool
    server: str | None


CHUNKED = -1
UNTIL_CLOSE = -2


@lru_cache(maxsize=1024)
def parse_head(head: bytes) -> Head:
    """Understand a head, without the empty line that ends it.

    Raises:
        MalformedError: not a status line and headers, or lengths that differ.
    """
    lines = head.split(b"\r\n")
    status, keep = _status_line(lines[0])
    lengths: set[bytes] = set()
    codings: list[bytes] = []
    options: list[bytes] = []
    server = None
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise MalformedError(f"header {line[:40]!r}")
        name, value = name.lower(), value.strip()
        if name == b"content-length":
            lengths.update(part.strip() for part in value.split(b","))
        elif name == b"transfer-encoding":
            codings += [part.strip() for part in value.lower().split(b",")]
        elif name == b"connection":
            options += [part.strip() for part in value.lower().split(b",")]
        elif name == REAL_SERVER:
            server = value.decode("latin-1")
    keep = b"close" not in options and (keep or b"keep-alive" in options)
    if status < 200 or status in (204, 304):
        return Head(status, 0, keep, server)
    if codings:
        if codings[-1] == b"chunked":
            # Two framings at once may hide a second answer: do not go on.
            return Head(status, CHUNKED, keep and not lengths, server)
        return Head(status, UNTIL_CLOSE, False, server)
    if lengths:
        text = lengths.pop()
        if lengths or not text or len(text) > 18 or not _DIGITS.issuperset(text):
            raise MalformedError("Content-Length")
        return Head(status, int(text), keep, server)
    return Head(status, UNTIL_CLOSE, False, server)


def _status_line(line: bytes) -> tuple[int, bool]:
    version, _, rest = line.partition(b" ")
    code = rest[:3]
    if (
        version not in (b"HTTP/1.1", b"HTTP/1.0")
        or len(code) != 3
        or not _DIGITS.issuperset(code)
        or code < b"100"
        or rest[3:4] not in (b"", b" ")
    ):
        raise MalformedError(f"status line {line[:40]!r}")
    return int(code), version == b"HTTP/1.1"


class HttpResponse:
    """One answer, fed as it comes, in any pieces.

    `began` says that a byte has come; `status` is 0 and `server` None until
    the head is whole; `size` counts the bytes of the body. `keep` says, of a
    whole answer, that the connection can carry another request.
    """

    __slots__ = ("_interim", "_left", "_pending", "_step", "began", "keep", "server", "size",
                 "status")  # fmt: skip

    def __init__(self) -> None:
        self.began = False
        self.status = 0
        self.size = 0
        self.server: str | None = None
        self.keep = False
        self._step = _HEAD
        self._pending = b""
        self._left = 0
        self._interim = 0

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; True once the answer is whole.

        Raises:
            MalformedError: this is no answer; nothing more may be fed.
        """
        if self._step == _HEAD and not self._pending:
            # Nearly every answer comes in one piece.
            self.began = True
            end = data.find(b"\r\n\r\n")
            if 0 <= end <= MAX_HEAD:
                head = parse_head(data[:end])
                if head.status >= 200 and len(data) - end - 4 == head.length:
                    self.status, self.size, self.keep, self.server = head
                    self._step = _WHOLE
                    return True
        self._pending += data
        while self._pending:
            step = self._step
            if not step(self):
                break
        return self._step == _WHOLE

    def end(self) -> bool:
        """The server has closed its side; True if that makes the answer whole."""
        if self._step == _UNTIL_CLOSE:
            self._step = _WHOLE
        return self._step == _WHOLE

    # Each step takes what it understands from _pending, and returns False
    # when it needs more than is there.

    def _read_head(self) -> bool:
        end = self._pending.find(b"\r\n\r\n")
        if end > MAX_HEAD or (end < 0 and len(self._pending) > MAX_HEAD + 3):
            raise MalformedError(f"a head of more than {MAX_HEAD} bytes")
        if end < 0:
            return False
        head = parse_head(self._pending[:end])
        self._pending = self._pending[end + 4 :]
        if head.status < 200:
            self._interim += 1
            if head.status == 101 or self._interim > MAX_INTERIM:
                raise MalformedError(f"status {head.status}")
            return True
        self.status, self.keep, self.server = head.status, head.keep, head.server
        if head.length == CHUNKED:
            self._step = _CHUNK_LINE
        elif head.length == UNTIL_CLOSE:
            self._step = _UNTIL_CLOSE
        elif head.length:
            self._left, self._step = head.length, _BODY
        else:
            self._whole()
        return True

    def _read_body(self) -> bool:
        self._take()
        if not self._left:
            self._whole()
        return True

    def _read_until_close(self) -> bool:
        self.size += len(self._pending)
        self._pending = b""
        return False

    def _read_chunk_line(self) -> bool:
        end = self._pending.find(b"\r\n")
        if end > MAX_CHUNK_LINE or (end < 0 and len(self._pending) > MAX_CHUNK_LINE + 1):
            raise MalformedError("a chunk's size")
        if end < 0:
            return False
        text = self._pending[:end].partition(b";")[0].strip()
        if not text or len(text) > 15 or not _HEX.issuperset(text):
            raise MalformedError("a chunk's size")
        self._pending = self._pending[end + 2 :]
        self._left = int(text, 16)
        self._step = _CHUNK if self._left else _TRAILER
        if not self._left:
            self._left = MAX_HEAD
        return True

    def _read_chunk(self) -> bool:
        self._take()
        if not self._left:
            self._step = _CHUNK_END
        return True

    def _read_chunk_end(self) -> bool:
        if not b"\r\n".startswith(self._pending[:2]):
            raise MalformedError("a chunk's end")
        if len(self._pending) < 2:
            return False
        self._pending = self._pending[2:]
        self._step = _CHUNK_LINE
        return True

    def _read_trailer(self) -> bool:
        end = self._pending.find(b"\r\n")
        if (len(self._pending) if end < 0 else end + 2) > self._left:
            raise MalformedError(f"a trailer of more than {MAX_HEAD} bytes")
        if end < 0:
            return False
        self._left -= end + 2
        self._pending = self._pending[end + 2 :]
        if end == 0:
            self._whole()
        return True

    def _read_surplus(self) -> bool:
        # Nobody asked for more: the answer counts, the connection cannot be used again.
        self.keep = False
        self._pending = b""
        return False

    def _take(self) -> None:
        taken = min(self._left, len(self._pending))
        self._left -= taken
        self.size += taken
        self._pending = self._pending[taken:]

    def _whole(self) -> None:
        self._step = _WHOLE


_HEAD = HttpResponse._read_head
_BODY = HttpResponse._read_body
_UNTIL_CLOSE = HttpResponse._read_until_close
_CHUNK_LINE = HttpResponse._read_chunk_line
_CHUNK = HttpResponse._read_chunk
_CHUNK_END = HttpResponse._read_chunk_end
_TRAILER = HttpResponse._read_trailer
_WHOLE = HttpResponse._read_surplus
